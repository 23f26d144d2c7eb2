"""The readings task: answers to questions about a passage, each a span of it."""
