"""What runner and host say to each other: orders down, reports up, in frames."""
