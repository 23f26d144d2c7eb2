"""Lattices of what a Chinese text may have been meant to be: characters that sound or look alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache, lru_cache

from app.languages.registry import LANGUAGES
from app.tasks.corrections.chinese_grammar import propose
from app.tasks.corrections.drawn import Drawing, Drawn
from app.tasks.corrections.kinds import SINGLE, Kind
from app.tasks.corrections.language import CorrectedLanguage, Wanted
from app.tasks.corrections.listed import Listed, draw_listed, exactly
from app.tasks.corrections.posterior import Calibration, calibrated
from models.confusions.characters import SIMPLIFIED, TRADITIONAL
from models.confusions.pinyin import homophones, near_homophones
from models.confusions.shapes import lookalikes
from models.confusions.variants import variants
from models.confusions.words import lexicon
from models.language.piece_trie import PieceTrie
from models.language.vocabulary import Vocabulary

IDENTICAL = -0.04
DISTORTIONS: Mapping[Kind, float] = {"variant": -3.75, "homophone": -3.75, "near_homophone": -6.5, "lookalike": -5.4}
"""Log-weights of the kinds of confusion, in nats, after Zhou et al., EMNLP 2024, whose near homophones weigh -4.85: of
the wider list here fewer are ever meant."""
LONGER_TOKEN = 2.5
"""Reward for each character of a token beyond one; ibid."""
WORD_HINT = 6.0
"""What it credits a character with that makes a word of the lexicon with those given around it."""

FAMILIES: Mapping[Kind, Callable[[str], frozenset[str]]] = {
    "variant": variants,
    "homophone": homophones,
    "near_homophone": near_homophones,
    "lookalike": lookalikes,
}
"""The characters that may be meant by a given one, likeliest kind first."""
_TRADITIONAL_ONLY = TRADITIONAL - SIMPLIFIED


@cache
def confusions(character: str) -> Mapping[str, Kind]:
    """Kind of confusion by the character that may have been meant, the likeliest kind of each."""
    return {other: kind for kind in reversed(list(FAMILIES)) for other in FAMILIES[kind](character)}


class ChineseLattices:
    """Draws lattices of Chinese texts.

    Args:
        vocabulary: of the texts.
        wanted: what the request asks for.
    """

    def __init__(self, vocabulary: Vocabulary, wanted: Wanted) -> None:
        self._vocabulary, self._kinds = vocabulary, tuple(kind for kind in DISTORTIONS if kind in wanted.kinds)
        self._lexicon = lexicon()
        self._singles: dict[int, tuple[list[int], list[str], list[float]]] = {}
        self._seen: list[Mapping[str, float]] = []  # so that no other gets the identity of one
        self._listed = Listed(wanted)
        names = wanted.names if "listed" in wanted.kinds else ()
        self._names = PieceTrie({name: number for number, name in enumerate(names)})

    def draw(self, text: str) -> Drawn:
        """See :meth:`Lattices.draw`."""
        drawing = Drawing(text, self._vocabulary)
        exact = exactly(text)
        words = self._listed.kept(text)
        kept = {place for start, stop in words for place in range(start, stop)}
        traditional = not _TRADITIONAL_ONLY.isdisjoint(text)

        def meant(kinds: Sequence[Kind]) -> list[Mapping[str, float]]:
            return [exact[at] if at in kept else weights(c, kinds, traditional) for at, c in enumerate(text)]

        self._draw_tokens(drawing, text, meant(self._kinds))
        for at, old, new in self._listed.pairs(text):
            if kept.isdisjoint(range(at, at + len(old))):
                draw_listed(drawing, at, old, new, LONGER_TOKEN * (len(new) - 1))
        alike = meant(tuple(DISTORTIONS))
        for at in range(len(text)):
            for _, name, _ in self._names.spelled(alike, at):
                old = text[at : at + len(name)]
                if old != name and not set(old).isdisjoint(name):
                    draw_listed(drawing, at, old, name, LONGER_TOKEN * (len(name) - 1))
        return drawing.done(lambda old, new: confusions(old)[new])

    def _draw_tokens(self, drawing: Drawing, text: str, choices: Sequence[Mapping[str, float]]) -> None:
        """Every token that writes what may be meant."""
        words = [self._lexicon.completing(text, at) if len(choice) > 1 else () for at, choice in enumerate(choices)]
        for at, (given, made) in enumerate(zip(text, words, strict=True)):
            tokens, written, distortions = self._single(choices[at])
            hints = [WORD_HINT if each in made and each != given else 0.0 for each in written]
            drawing.characters(at, tokens, written, distortions, hints)
            for token, several, distortion in self._vocabulary.trie.spelled(choices, at, 2):
                changed = (place for place, new in enumerate(several, at) if new != text[place])
                hint = WORD_HINT if any(several[place - at] in words[place] for place in changed) else 0.0
                drawing.arc(at, token, several, distortion, LONGER_TOKEN * (len(several) - 1), hint)

    def _single(self, choice: Mapping[str, float]) -> tuple[list[int], list[str], list[float]]:
        """Tokens of single characters that may stand in a place, what they write, and their log-weights."""
        if (columns := self._singles.get(id(choice))) is not None:
            return columns
        found = list(self._vocabulary.trie.spelled([choice]))
        columns = ([token for token, _, _ in found], [text for _, text, _ in found], [w for _, _, w in found])
        if len(choice) > 1:  # one of those that :func:`weights` keeps
            self._singles[id(choice)] = columns
            self._seen.append(choice)
        return columns


@lru_cache(maxsize=50_000)
def weights(character: str, kinds: Sequence[Kind], traditional: bool) -> Mapping[str, float]:
    """Log-weights of the characters that may be meant by one, itself among them."""
    script = TRADITIONAL if traditional else SIMPLIFIED
    found = {
        other: DISTORTIONS[kind] for other, kind in confusions(character).items() if kind in kinds and other in script
    }
    return {**found, character: IDENTICAL}


CHINESE = CorrectedLanguage(
    language=LANGUAGES["zh"],
    kinds=("homophone", "near_homophone", "lookalike", "listed"),
    optional=("variant", *SINGLE),
    # Everyday matters, health, law, letters.
    contexts=(
        LANGUAGES["zh"].opening,
        "医生建议他少吃油腻的东西。\n长期熬夜会影响记忆力。\n发烧时要多休息，多喝水。\n",
        "合同自双方签字之日起生效。\n未经许可，任何人不得进入该区域。\n当事人有权向法院提起诉讼。\n",
        "好久没有给您写信了，家里一切都好。\n孩子已经会走路了。\n等放了假，我们就回去看您。\n",
    ),
    # Fitted to half of the development texts (benchmarks/corrections_spelling_zh.json).
    calibration=calibrated(
        Calibration(4.116, 0.409, 0.74, -0.603),
        {"homophone": 0.0, "variant": 0.0, "listed": 0.0, "near_homophone": -0.735, "lookalike": -1.133},
    ),
    lattices=ChineseLattices,
    piece=128,
    single=SINGLE,
    propose=propose,
)
