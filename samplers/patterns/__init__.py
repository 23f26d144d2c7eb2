"""Regular expressions as finite automata over the characters of sentences."""
