"""Filling blanks in a text."""
