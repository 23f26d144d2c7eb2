"""Markov kernels, one a file."""
