"""Templates for Microsoft agents and services: data, no code."""
