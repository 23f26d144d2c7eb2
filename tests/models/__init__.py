"""Tests of all that holds weights."""
