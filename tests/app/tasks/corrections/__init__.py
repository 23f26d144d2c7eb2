"""Tests of the corrections task."""
