"""Text -> Manifest or Definition: what people wrote, typed and located, its values still unmerged."""
