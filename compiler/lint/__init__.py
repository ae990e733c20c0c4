"""Lint: what is no error in a policy, but seldom what its author wants. One module for each rule."""
