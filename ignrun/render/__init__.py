"""Values -> text for people and public JSON."""
