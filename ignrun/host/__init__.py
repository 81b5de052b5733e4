"""What happens inside a host process."""
