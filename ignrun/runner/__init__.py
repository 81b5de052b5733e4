"""Assembles a runner and drives its loop: the only place where concrete classes meet."""
