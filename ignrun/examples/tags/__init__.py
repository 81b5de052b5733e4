"""Offers this machine's figures as tags."""
