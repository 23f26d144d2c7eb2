"""Saying a text in other words."""
