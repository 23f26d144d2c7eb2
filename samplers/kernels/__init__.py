"""Acceptance rules over a mix of moves, one a file."""
