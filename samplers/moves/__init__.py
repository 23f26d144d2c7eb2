"""Reversible proposals, one a file. Each docstring gives the probability of the move and of its reverse."""
