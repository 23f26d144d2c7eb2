"""Text: files, encodings, normal form."""
