"""Searches for the keys that a model finds likeliest."""
