"""Brings up hosts and commands, watches their processes, probes them and takes them down."""
