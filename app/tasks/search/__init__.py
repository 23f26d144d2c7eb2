"""The search task: facts that answer a question."""
