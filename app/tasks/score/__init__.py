"""The score task: log-probabilities of texts."""
