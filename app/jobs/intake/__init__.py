"""Intake: a job's body is read, checked, estimated and cut into chunks."""
