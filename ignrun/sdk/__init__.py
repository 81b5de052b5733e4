"""What a module author writes against; standard library and msgspec only."""
