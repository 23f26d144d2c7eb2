"""HTTP: problems, validation, middleware, streaming."""
