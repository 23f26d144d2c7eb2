"""Keywords in, sentences out."""
