"""A command that serves what the historian stored as a page."""
