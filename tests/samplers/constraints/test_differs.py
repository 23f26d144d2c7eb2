from samplers import from_text
from samplers.constraints.differs import Differs
from samplers.testing import PotentialLaws
from samplers.testing.toy import BANG, STOP, A, B


class TestDiffers(PotentialLaws):
    potential = Differs("A, b.")
    states = tuple(from_text(tokens) for tokens in ((A, B, STOP), (A, B, BANG), (A, STOP), (B, A, STOP)))


def test_marks_and_letter_case_make_no_other_text() -> None:
    differs, state = Differs("We met, at 10."), from_text((A, STOP))
    assert differs.violation(state, "we met at 10!") == 1
    assert differs.violation(state, "We met at 11.") == differs.violation(state, "") == 0
