"""Watches the folders of a plant's input set and says when its content has settled into something new."""
