"""The links task: names of an index in running text, and what they mean."""
