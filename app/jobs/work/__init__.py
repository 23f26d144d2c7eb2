"""Workers: chunks taken from the queue, run and settled."""
