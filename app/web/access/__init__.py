"""Access: API keys, rates and limits."""
