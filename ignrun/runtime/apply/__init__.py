"""Decides what an apply may do and whether it stays: the transaction, its gate and its outcome."""
