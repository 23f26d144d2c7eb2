"""The keywords task: sentences that hold given keywords."""
