"""Stores every change of a tag in SQLite."""
