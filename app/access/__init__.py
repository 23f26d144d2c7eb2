"""Who may call, and how often: API keys, rates and quotas."""
