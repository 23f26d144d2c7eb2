"""The studio: a page on which anyone sees what the chains do."""
