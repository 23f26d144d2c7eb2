"""Confusions: what is written for what."""
