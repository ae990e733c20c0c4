"""The policies that ship, and an example inventory: data, no code."""
