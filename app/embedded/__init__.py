"""Valkey servers of the service's own: one for scores, one for the queue of jobs."""
