"""Soft terms of the target, one a file, and their product."""
