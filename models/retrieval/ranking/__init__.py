"""Ranking: what a key's score is weighed with."""
