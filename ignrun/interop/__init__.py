"""Other people's forms, one file for each dialect."""
