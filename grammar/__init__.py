"""The grammar and the JSON Schemas of every file that egressc reads or writes: data, no code."""
