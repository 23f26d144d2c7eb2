"""Texts that sentences of a language may continue: a pool of registers, and worked examples."""
