"""Laws that every potential, constraint, move and kernel obeys, as classes of tests to inherit.

A test class that inherits from one of them and sets its attributes is collected by pytest (or any
runner that calls methods named ``test_...``)::

    class TestInsert(MoveLaws):
        move = Insert()
        partner = Delete()
        states = [from_text((A, B, STOP))]

All run on :class:`ToyLanguage`, whose probabilities are known.
"""

from samplers.testing.kernel_laws import KernelLaws, exact_law, pearson, states_after
from samplers.testing.move_laws import MoveLaws
from samplers.testing.paths import Path, paths
from samplers.testing.potential_laws import PotentialLaws
from samplers.testing.toy import ToyLanguage, decode

__all__ = [
    "KernelLaws",
    "MoveLaws",
    "Path",
    "PotentialLaws",
    "ToyLanguage",
    "decode",
    "exact_law",
    "paths",
    "pearson",
    "states_after",
]
