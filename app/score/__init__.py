"""Log-probs of given texts."""
