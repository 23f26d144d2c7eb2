"""Tests of confusions."""
