"""Laws that every potential, constraint, move and kernel obeys, as classes of tests to inherit.

A test class that inherits from one of them and sets its attributes is collected by pytest (or any
runner that calls methods named ``test_...``)::

    class TestInsert(MoveLaws):
        move = Insert()
        partner = Delete()
        states = [from_text((A, B, STOP))]

They run on :class:`ToyLanguage`, whose probabilities are known. :func:`rank_test` needs no list of states, and so
runs on any model.
"""

from samplers.testing.kernel_laws import KernelLaws as KernelLaws
from samplers.testing.kernel_laws import exact_law as exact_law
from samplers.testing.kernel_laws import pearson as pearson
from samplers.testing.kernel_laws import states_after as states_after
from samplers.testing.move_laws import MoveLaws as MoveLaws
from samplers.testing.paths import Path as Path
from samplers.testing.paths import paths as paths
from samplers.testing.paths import proposed as proposed
from samplers.testing.perfect_start import ChosenPlaces as ChosenPlaces
from samplers.testing.perfect_start import every_token as every_token
from samplers.testing.perfect_start import keywords_of as keywords_of
from samplers.testing.perfect_start import perfect_starts as perfect_starts
from samplers.testing.perfect_start import rank_test as rank_test
from samplers.testing.perfect_start import with_keywords as with_keywords
from samplers.testing.potential_laws import PotentialLaws as PotentialLaws
from samplers.testing.toy import ToyLanguage as ToyLanguage
from samplers.testing.toy import decode as decode
