"""Adapters of the default model that come with it."""
