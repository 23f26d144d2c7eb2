"""Measures the service on files of requests."""
