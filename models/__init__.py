"""All that holds weights or an index."""

import os

# PyTorch's OpenMP threads spin while they wait for each other. When anything else runs on the
# machine, the spinning thread keeps the core that its partner needs, and every small operation
# takes a scheduler's time slice: four times slower on 2 busy cores (6 ms against 25 ms a round of
# two additions and a matrix product). The variable is read when torch is first imported.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
