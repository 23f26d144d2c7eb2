"""Tests of the sampling mathematics; nothing here needs torch."""
