"""Intake of jobs: a body is read, checked and divided into chunks."""
