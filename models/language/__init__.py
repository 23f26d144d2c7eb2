"""Causal language models: loading, vocabulary masks, batched scoring of edits."""
