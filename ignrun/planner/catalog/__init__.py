"""Finds definitions, reads class traits from source and chooses versions."""
