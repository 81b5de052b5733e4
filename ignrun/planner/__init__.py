"""Inputs -> Proposal: everything between what people wrote and the plan of what would change, in one bounded process."""
