"""Ranking: orders of candidate keys beyond the model's own score."""
