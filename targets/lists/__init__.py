"""Formats of proxy bypass and inspection exemption lists, one module each."""
