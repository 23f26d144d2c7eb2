"""Scoring of many sentences at once."""
