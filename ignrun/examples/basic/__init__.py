"""The smallest module that uses every part of the lifecycle."""
