"""Hard constraints, one a file. Each says how far a state is from holding it; 0 means it holds."""
