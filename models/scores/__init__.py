"""The score cache."""
