"""The corrections task: texts mended, each edit with its confidence."""
