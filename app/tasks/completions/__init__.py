"""The completions task: OpenAI's completions, for scoring alone."""
