"""The public test kit for module authors."""
