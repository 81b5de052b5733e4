"""The words of ignrun: frozen values that every other room speaks in, importing nothing but the standard library and msgspec."""
