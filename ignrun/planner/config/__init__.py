"""Layers -> the values of each instance: references, types, checks, origins."""
