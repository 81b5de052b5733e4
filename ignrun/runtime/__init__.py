"""The parts of a runner: decisions that are pure, and the doors to the journal, to hosts and commands, to folders and to logs."""
