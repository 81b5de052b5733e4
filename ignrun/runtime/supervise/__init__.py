"""Decides what runs next: order, readiness, health, restarts and back-off, without touching anything."""
