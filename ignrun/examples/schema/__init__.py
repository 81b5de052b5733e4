"""A oneshot command that creates the historian's database."""
