"""OpenAI's doors: routes in the shapes of its API, over what the service does."""
