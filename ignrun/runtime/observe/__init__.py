"""Listens to what modules say and keeps it: log files."""
