"""Indexes: built, changed, listed and opened."""
