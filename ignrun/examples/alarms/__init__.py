"""Watches tags against thresholds."""
