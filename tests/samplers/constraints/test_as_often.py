from samplers import from_text
from samplers.constraints.as_often import AsOften
from samplers.testing import PotentialLaws
from samplers.testing.toy import STOP, A, B, C


class TestAsOften(PotentialLaws):
    potential = AsOften("a a c.", lambda text: [letter for letter in text if letter in "ab"])
    states = tuple(
        from_text(tokens) for tokens in ((A, A, STOP), (A, C, A, STOP), (A, A, B, STOP), (A, STOP), (B, STOP))
    )


def test_the_distance_counts_what_is_missing_and_what_is_too_much() -> None:
    constraint, state = AsOften("a a c", str.split), from_text((A, STOP))
    assert [constraint.violation(state, text) for text in ("c a a", "a c", "b", "a a a c b")] == [0, 1, 4, 2]
