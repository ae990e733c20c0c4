"""One page for each diagnostic code: data, no code."""
