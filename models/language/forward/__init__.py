"""One forward of the language model."""
