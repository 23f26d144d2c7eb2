"""Tests of lattices and the search in them."""
