"""Lattices with what is put in, left out and exchanged, against every path through them."""

from __future__ import annotations

from itertools import product

import pytest

from app.tasks.corrections.drawn import Drawing
from app.tasks.corrections.edits import applied
from app.tasks.corrections.posterior import variants_of
from models.language.vocabulary import Mask, Role, Vocabulary
from samplers.lattices.beam import Beam
from tests.samplers.lattices.test_beam import ToyModel, densest, every_path, found_by

PIECES = ["a", "b", "c", "ab", "x", "y", "."]
VOCABULARY = Vocabulary.build(
    Mask("toy", lambda piece, rank: Role.END if piece == "." else Role.INTERIOR),
    PIECES,
    lambda text: [PIECES.index(character) for character in text],
)
TEXT = "abcb."
X, Y, B, C, DOT = (PIECES.index(piece) for piece in "xybc.")


def a_drawing() -> Drawing:
    drawing = Drawing(TEXT, VOCABULARY)
    drawing.inserted(0, X, "x", "missing", -1.0, 0.5, 0.0)
    drawing.inserted(2, X, "x", "missing", -1.0, 0.0, 0.0)
    drawing.inserted(2, Y, "y", "missing", -1.5, 0.0, 0.0)
    drawing.deleted(1, 2, C, "c", "redundant", -2.0, 0.0, 0.0)
    drawing.deleted(2, 4, DOT, ".", "redundant", -2.0, 0.0, 0.0)
    drawing.chain(2, 4, "bc", "reordered", -0.7, 1.0, 0.0)
    return drawing


def texts() -> dict[str, set[tuple[int, int, str]]]:
    """All that may be meant, with the edits by which it is."""
    found: dict[str, set[tuple[int, int, str]]] = {}
    # Before c something is put in, or it is exchanged with what follows, or both; or b is left out before it, alone.
    tails: dict[str, set[tuple[int, int, str]]] = {"cb.": set(), "bc.": {(2, 4, "bc")}, ".": {(2, 4, "")}}
    for put, (tail, edits) in product(("", "x", "y"), tails.items()):
        found[f"ab{put}{tail}"] = edits | ({(2, 2, put)} if put else set())
    found["acb."] = {(1, 2, "")}
    return found | {f"x{text}": {(0, 0, "x"), *edits} for text, edits in found.items()}


@pytest.mark.parametrize("seed", range(5))
def test_every_text_is_found_with_its_density_and_its_edits(seed: int) -> None:
    drawn = a_drawing().done()
    model = ToyModel(order=1, seed=seed)
    expected = densest(every_path(model, drawn.lattice))
    assert expected.keys() == texts().keys()
    (paths,) = found_by(model, [drawn.lattice], Beam())
    assert {path.text: path.log_density for path in paths} == pytest.approx(expected)
    for variant in variants_of(paths, drawn):
        edits = [(edit.start, edit.end, edit.new) for edit in variant.edits]
        assert applied(edits, TEXT) == variant.text
        assert set(edits) == texts()[variant.text]


def test_the_kinds_are_those_drawn() -> None:
    drawn = a_drawing().done()
    (paths,) = found_by(ToyModel(order=1), [drawn.lattice], Beam())
    kinds = {(edit.start, edit.end, edit.new): edit.kind for each in variants_of(paths, drawn) for edit in each.edits}
    assert kinds == {
        (0, 0, "x"): "missing",
        (2, 2, "x"): "missing",
        (2, 2, "y"): "missing",
        (1, 2, ""): "redundant",
        (2, 4, ""): "redundant",
        (2, 4, "bc"): "reordered",
    }


def test_given_tokens_are_those_between_characters() -> None:
    assert Drawing(TEXT, VOCABULARY).given_tokens() == {
        at: (PIECES.index(character), character) for at, character in enumerate(TEXT)
    }
