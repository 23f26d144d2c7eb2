"""Measurements behind the claims; each prints a table and writes JSON with the machine it ran on."""
