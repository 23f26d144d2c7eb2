"""All languages keep one contract; `auto`, masks and checks of keywords go by it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from app.languages.base import Language
from app.languages.choice import candidates, choose_language
from app.languages.registry import FALLBACK, LANGUAGES, detection, language_of, masks
from models.language.vocabulary import WIDE, Role
from samplers.constraints.copies import NoCopies
from samplers.constraints.punctuation import TidyPunctuation
from samplers.state import END, State
from tests.app.languages import german
from tests.app.languages.german import German

EXTENDING = Path(__file__).parent.parent.parent.parent / "docs" / "extending.md"
ALL = [*LANGUAGES.values(), German()]
CHINESE, ENGLISH, GERMAN = ALL
EDGES = [
    (CHINESE, "我们去公园散步。", "公园", True),
    (CHINESE, "他在办公园区工作。", "公园", False),
    (ENGLISH, "It was a party.", "art", False),
    (ENGLISH, "It was art.", "art", True),
    (GERMAN, "Das Dienstmädchen läuft.", "mädchen", False),
    (GERMAN, "Das Mädchen läuft.", "Mädchen", True),
]
COUNTS = [(CHINESE, "我们去公园散步。", 4), (ENGLISH, "He's a well-known man.", 4), (GERMAN, "Das „Mädchen“ läuft.", 3)]
by_name = pytest.mark.parametrize("language", ALL, ids=lambda language: language.name)


@by_name
def test_contract(language: Language) -> None:
    opening = language.opening
    assert {0, len(opening)} <= language.edges(opening) <= set(range(len(opening) + 1))
    assert 0 < language.least_words("Haus") <= language.count_words(opening)
    assert {language.measure(unit)(State((1,), (END,)), "a.") for unit in ("characters", "words", "tokens")} == {1, 2}
    assert all(base > 0 and room > 0 for base, room in map(language.default_bounds, ("characters", "words", "tokens")))
    assert all(mask.rule(language.full_stop, 0) is Role.END for mask in language.masks)
    names = [mask.name for mask in language.masks]
    for text in ("a", "今", "ä"):
        assert {name.removesuffix(WIDE) for name in language.vocabularies([text])} <= set(names)
        assert language.vocabularies([text])[-1].endswith(WIDE)
    assert not {name for other in ALL if other is not language for name in (m.name for m in other.masks)} & set(names)
    assert bool(language.evidence) is any(map(language.claims, ("a", "今", "ä")))


@pytest.mark.parametrize("language", LANGUAGES.values(), ids=lambda language: language.name)
def test_the_pool_has_many_short_texts_that_end_as_the_opening_does(language: Language) -> None:
    assert len(set(language.pool)) == len(language.pool) >= 24
    white_space = re.compile(r"\s*$")
    for text in language.pool:
        assert 1 <= len(re.findall(r"[.!?。！？]", text)) <= 3 and len(text) < 200
        assert text.rstrip()[-1] in ".!?。！？"
        assert white_space.search(text)[0] == white_space.search(language.opening)[0]  # type: ignore[index]
    # None lends long runs of its words to another, or to an example.
    texts = [*language.pool, *(sentence for _, sentence in language.examples)]
    for place, text in enumerate(texts):
        run = language.copied_run + 2
        others = NoCopies([*texts[:place], *texts[place + 1 :]], language.units, run, lambda tokens: "")
        assert others.violation(State((1,), (END,)), text) == 0, text


@pytest.mark.parametrize("language", LANGUAGES.values(), ids=lambda language: language.name)
def test_examples_are_sentences_made_of_their_words(language: Language) -> None:
    assert len(language.examples) == 6
    for words, sentence in language.examples:
        assert all(word in sentence.lower() for word in words) and sentence[-1] in ".!?。！？"
    before, between, after = language.example_form
    asked = language.worked_examples(["w1", "w2"])
    assert asked.count(before) == asked.count(after) == 7
    assert asked.endswith(f"{before}w1{between}w2\n{after}")


@pytest.mark.parametrize(
    ("language", "text", "units"),
    [
        (CHINESE, "我们，去 NY。", ["我", "们", "去", "N", "Y"]),
        (ENGLISH, "He's a well-known man.", ["He's", "a", "well-known", "man"]),
    ],
)
def test_units_leave_punctuation_out(language: Language, text: str, units: list[str]) -> None:
    assert [text[start:stop] for start, stop in language.units(text)] == units


@pytest.mark.parametrize(("language", "text", "word", "whole"), EDGES)
def test_word_edges(language: Language, text: str, word: str, whole: bool) -> None:
    start = text.index(word)
    assert ({start, start + len(word)} <= language.edges(text)) is whole


@pytest.mark.parametrize(("language", "text", "words"), COUNTS)
def test_words_are_counted_without_marks(language: Language, text: str, words: int) -> None:
    assert language.count_words(text) == words


@pytest.mark.parametrize(("texts", "code"), [(["dog"], "en"), (["dog", "公园"], "zh"), (["Straße"], "en"), ([], "en")])
def test_auto_takes_the_language_that_claims_a_text(texts: list[str], code: str) -> None:
    assert language_of(texts).code == choose_language("auto", texts).code == code
    assert choose_language("en", texts) is FALLBACK


def test_how_auto_chooses_is_told() -> None:
    assert detection("a keyword") == "Chinese if a keyword has a Han character, else English"


@pytest.mark.parametrize(
    ("language", "texts", "names"),
    [
        (CHINESE, ["公园"], ["zh", "zh-full", "zh-wide"]),
        (CHINESE, ["公園"], ["zh", "zh-full", "zh-full-wide"]),
        (CHINESE, ["公园", "APP"], ["mixed", "mixed-wide"]),
        (ENGLISH, ["café"], ["en", "en-wide"]),
        (ENGLISH, ["dog", "公园"], ["en"]),
        (GERMAN, ["Straße"], ["de", "de-wide"]),
        (GERMAN, ["公园"], ["de"]),
    ],
)
def test_vocabularies_from_narrow_to_wide(language: Language, texts: list[str], names: list[str]) -> None:
    assert candidates(language, texts) == names


def test_a_rule_of_the_settings_keeps_how_words_are_led_in() -> None:
    known = {mask.name: mask for mask in masks({})}
    brought = {mask.name: mask for mask in masks({"en": GERMAN.masks[0].rule, "own": known["zh"].rule})}
    assert brought["en"].rule is not known["en"].rule and brought["en"].lead("dog") == (" ",)
    assert brought["own"].lead("公园") == ("",)
    assert {name: brought[name] for name in ("zh", "zh-full", "mixed")} == {
        name: known[name] for name in ("zh", "zh-full", "mixed")
    }
    assert (known["mixed"].lead("APP"), known["mixed"].lead("公园")) == (("", " "), ("",))


@pytest.mark.parametrize(
    ("piece", "english", "german"),
    [
        (" dog", Role.INTERIOR, Role.INTERIOR),
        (" läuft", None, Role.INTERIOR),
        (" Äpfel", None, Role.INTERIOR),
        (" ÜBER", None, Role.INTERIOR),
        ("ße", None, Role.SPELLING),
        (" I", Role.INTERIOR, Role.SPELLING),
        (",", Role.INTERIOR, Role.INTERIOR),
        ("?", Role.END, Role.END),
        (" „", None, Role.SPELLING),
        ("公园", None, None),
    ],
)
def test_rules_of_alphabets(piece: str, english: Role | None, german: Role | None) -> None:
    assert ENGLISH.masks[0].rule(piece, 99) is english
    assert GERMAN.masks[0].rule(piece, 99) is german
    assert ENGLISH.masks[0].rule(" dog", 100_000) is None


@pytest.mark.parametrize(("keyword", "wrong"), [("公 园", True), ("公园 app", False), ("New York", False)])
def test_white_space_between_han_characters_is_a_flaw(keyword: str, wrong: bool) -> None:
    assert (CHINESE.flaw(keyword) is not None) is wrong
    assert ENGLISH.flaw(keyword) is None


@pytest.mark.parametrize(("language", "stray"), [(ENGLISH, 1), (GERMAN, 0)])
def test_a_quote_opens_in_one_language_and_closes_in_another(language: Language, stray: int) -> None:
    tidy = language.constraints([["Haus"]], lambda tokens: "")[0]
    assert isinstance(tidy, TidyPunctuation)
    assert tidy.violation(State((1,), (END,)), "Das Haus“, rief er.") == stray


def test_the_guide_shows_the_language_that_is_tested() -> None:
    source = Path(german.__file__).read_text("utf-8")
    assert f"```python\n{source}```" in EXTENDING.read_text("utf-8")
