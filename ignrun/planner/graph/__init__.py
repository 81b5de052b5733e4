"""Configured modules -> instances and edges, with cycles and placement."""
