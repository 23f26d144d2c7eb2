"""Entity linking: names of an index in running text, and the entities that they mean."""
