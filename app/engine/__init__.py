"""The engine: the model, its thread, admission, the score cache, readiness."""
