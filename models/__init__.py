"""All that holds weights or an index."""

import os

# PyTorch's OpenMP threads spin while they wait for each other. When anything else runs on the
# machine, the spinning thread keeps the core that its partner needs, and every small operation
# takes a scheduler's time slice: four times slower on 2 busy cores (6 ms against 25 ms a round of
# two additions and a matrix product). Threads that sleep at once take as long to wake as a small
# product takes. So they spin for some 0.2 ms, then sleep (libgomp), or sleep at once (others).
# The variables are read when torch is first imported.
if "OMP_WAIT_POLICY" not in os.environ:
    os.environ["OMP_WAIT_POLICY"] = "passive"
    os.environ.setdefault("GOMP_SPINCOUNT", "10000")
