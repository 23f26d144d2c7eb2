"""Convergence diagnostics of scalar quantities along many chains, in NumPy alone."""
