"""Lattices of the ways a text may be written, and the search for the likeliest."""
