"""Misspelt names are found by their neighbours."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.retrieval.index.building import build
from models.retrieval.index.compiled import CompiledIndex
from models.retrieval.index.errors import CorruptIndexError
from models.retrieval.index.key_format import KeyFormat
from models.retrieval.index.live import LiveIndex
from models.retrieval.index.overlay import OverlayView
from models.retrieval.index.sources import Records
from models.retrieval.index.spelling_table import SpellingTable, has_table
from models.retrieval.index.variants import MAX_LETTERS, name_variants
from models.retrieval.metrics import normalised
from models.retrieval.misspelt import MIN_LETTERS, misspell, one_error
from models.retrieval.ranking.spelling import SpeltNames, near
from models.retrieval.search.mentions import Mentions, spans_of
from models.retrieval.writers.codec import KeyCodec
from tests.models.retrieval.dict_index import DictIndex
from tests.models.retrieval.mentioned import candidates
from tests.models.retrieval.reference import PLAIN, TRIPLE, encode, key_of

WORD = st.text("abcd", min_size=1, max_size=6)
HAN = st.text("天地A a", min_size=1, max_size=7).filter(lambda text: text == text.strip() and "  " not in text)
HAN_CODEC = KeyCodec.prefix_lm(lambda text: [*map(ord, text)], lambda tokens: "".join(map(chr, tokens)), 2, 1)
FILES = {f"spelling-{name}.npy" for name in ("starts", "rests", "owners")}


def decode(tokens: Iterable[int]) -> str:
    return "".join(map(chr, tokens))


def decode_batch(batch: list[list[int]]) -> list[str]:
    return [*map(decode, batch)]


def indexed(folder: Path, names: Iterable[str], key_format: KeyFormat = TRIPLE, *, typos: bool = True) -> LiveIndex:
    records = [(name, "p", "v") if key_format == TRIPLE else (name, "v") for name in names]
    given_decode = decode_batch if typos else None
    build(folder, [Records(records)], key_format, encode, tokenizer="code points", decode=given_decode)
    return LiveIndex.open(folder)


def key(name: str, key_format: KeyFormat = TRIPLE) -> tuple[int, ...]:
    return key_of((name, "p", "v") if key_format == TRIPLE else (name, "v"), key_format)


def found(index: SpeltNames, question: str, most: int = 10_000) -> list[str]:
    return [decode(one.tokens) for one in near(index, decode, spans_of(question), most)]


def expected(names: Iterable[str], question: str) -> set[str]:
    """By the definition, each name against each span."""
    spans = {normalised(span) for span in spans_of(question)}
    known = {normalised(name) for name in names}
    asked = spans - known
    fits = [
        name for name in names if MIN_LETTERS <= len(normalised(name)) <= MAX_LETTERS and normalised(name) not in spans
    ]
    return {name for name in fits if any(one_error(span, normalised(name)) for span in asked)}


def _errors(word: str, letters: str) -> set[str]:
    """Every text one error away, written out."""
    cuts = [(word[:i], word[i:]) for i in range(len(word) + 1)]
    replaced = {a + c + b[1:] for a, b in cuts if b for c in letters}
    inserted = {a + c + b for a, b in cuts for c in letters}
    left_out = {a + b[1:] for a, b in cuts if b}
    swapped = {a + b[1] + b[0] + b[2:] for a, b in cuts if len(b) > 1}
    return (replaced | inserted | left_out | swapped) - {word}


@given(WORD, WORD)
def test_one_error_is_what_it_says(a: str, b: str) -> None:
    assert one_error(a, b) == (b in _errors(a, "abcd"))


@settings(max_examples=60, deadline=None)
@given(
    names=st.sets(HAN, max_size=12),
    question=HAN,
    key_format=st.sampled_from([TRIPLE, PLAIN]),
    most=st.integers(1, 3),
    seed=st.integers(0, 999),
)
def test_all_names_at_one_error_and_no_others(
    names: set[str], question: str, key_format: KeyFormat, most: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    long = "".join(rng.permutation([*"天地玄黄宇宙洪荒日月"])[: rng.integers(3, 9)])
    question += misspell(long, "天地盈昃", rng)
    with tempfile.TemporaryDirectory() as scratch:
        view = indexed(Path(scratch) / "index", {*names, long}, key_format).view
        every = found(view, question)
        assert len(every) == len(set(every)) and set(every) == expected({*names, long}, question)
        lengths = [len(normalised(name)) for name in every]
        assert lengths == sorted(lengths, reverse=True)
        assert found(view, question, most) == every[:most]


@settings(max_examples=40, deadline=None)
@given(
    names=st.sets(HAN, min_size=1, max_size=6),
    changes=st.lists(st.tuples(st.booleans(), HAN), max_size=12),
    question=HAN,
    key_format=st.sampled_from([TRIPLE, PLAIN]),
)
def test_added_names_are_found_and_removed_ones_are_not(
    names: set[str], changes: list[tuple[bool, str]], question: str, key_format: KeyFormat
) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        live = indexed(Path(scratch) / "index", names, key_format)
        views = [(live.view, set(names))]
        for add, name in changes:
            live.update([(key(name, key_format), ["w"])] if add else [], [] if add else [(key(name, key_format), None)])
            now = views[-1][1] | {name} if add else views[-1][1] - {name}
            assert set(found(live.view, question)) == expected(now, question)
            views.append((live.view, now))
        for view, had in views:
            assert set(found(view, question)) == expected(had, question)
        merged = Path(scratch) / "merged"
        live.merge(merged, decode_batch)
        assert set(found(LiveIndex.open(merged).view, question)) == expected(views[-1][1], question)


@pytest.mark.parametrize("size", [MIN_LETTERS - 1, MIN_LETTERS, MAX_LETTERS, MAX_LETTERS + 1])
def test_names_of_other_lengths_are_left_alone(tmp_path: Path, size: int) -> None:
    name = decode(range(0x4E00, 0x4E00 + size))
    view = indexed(tmp_path / "index", [name]).view
    at = size // 2
    inserted, swapped = name[:at] + "天" + name[at:], name[: at - 1] + name[at] + name[at - 1] + name[at + 1 :]
    wrong = [name[:-1], inserted, name[:-1] + "天", swapped]
    proposed = [found(view, text) for text in wrong]
    assert proposed == [[name]] * 4 if MIN_LETTERS <= size <= MAX_LETTERS else not any(proposed)
    assert not found(view, name)


def test_an_index_without_a_table_proposes_nothing(tmp_path: Path) -> None:
    live = indexed(tmp_path / "index", ["天地玄黄"], typos=False)
    assert not has_table(live.manifest) and not FILES & set(live.manifest.files)
    live.update([(key("宇宙洪荒"), ["w"])])
    assert not found(live.view, "天地玄人") and not found(live.view, "宇宙洪人")
    live.merge(tmp_path / "merged", decode_batch)
    assert not has_table(LiveIndex.open(tmp_path / "merged").manifest)


def test_a_table_is_in_the_manifest_and_is_not_lost_by_merging(tmp_path: Path) -> None:
    live = indexed(tmp_path / "index", ["天地玄黄"])
    assert has_table(live.manifest) and set(live.manifest.files) >= FILES
    with pytest.raises(ValueError, match="decode"):
        live.merge(tmp_path / "merged")
    path = tmp_path / "index" / "spelling-owners.npy"
    raw = bytearray(path.read_bytes())
    raw[-1] ^= 1
    path.write_bytes(raw)
    with pytest.raises(CorruptIndexError, match=path.name):
        CompiledIndex.open(path.parent, full=True)


def test_a_table_of_many_names_finds_all_hashes_and_hardly_any_other() -> None:
    rng = np.random.default_rng(0)
    names = [decode(rng.integers(0x4E00, 0x9FA5, size)) for size in rng.integers(1, 12, 5000)]
    table = SpellingTable.build(len(names), [names[:1000], names[1000:1001], names[1001:]])
    hashes, owners = name_variants(names)
    which, numbers = table.find(hashes)
    pairs = set(zip(which.tolist(), numbers.tolist(), strict=True))
    assert pairs >= set(enumerate(owners.tolist())) and len(table.owners) == len(hashes)
    _, strangers = table.find(name_variants([decode(rng.integers(0x3400, 0x4DB5, 10)) for _ in range(5000)])[0])
    assert len(strangers) < 55_000 / 1000


def test_candidates_of_a_misspelt_name_are_its_keys_most_like_the_rest(tmp_path: Path) -> None:
    names = {"天地玄黄": ["人口", "面积", "天气"], "地地玄黄": ["人"], "宇宙洪荒": ["人口"], "天地": ["人口"]}
    keys = {name: [HAN_CODEC.key([name, predicate, ""]) for predicate in some] for name, some in names.items()}
    records = Records([(name, predicate, "v") for name, some in names.items() for predicate in some])
    triples = KeyFormat.triples((HAN_CODEC.separator,))
    build(tmp_path / "index", [records], triples, encode, tokenizer="code points", decode=decode_batch)
    view = OverlayView.of(CompiledIndex.open(tmp_path / "index"))
    mentions = Mentions(view, HAN_CODEC, predicates=1, misspelt=1)
    assert candidates(mentions, "天地玄人人口多少") == [*keys["天地"], keys["天地玄黄"][0]]
    assert candidates(mentions, "天气人口天地玄人") == [*keys["天地"], keys["天地玄黄"][0]]
    assert candidates(mentions, "宇宙洪荒天地黄玄面积") == [*keys["宇宙洪荒"], *keys["天地"], keys["天地玄黄"][1]]
    both = candidates(Mentions(view, HAN_CODEC, predicates=1), "地玄黄人口")
    assert both == [keys["天地玄黄"][0], *keys["地地玄黄"]]
    without = DictIndex([key for some in keys.values() for key in some if key != keys["地地玄黄"][0]])
    assert candidates(Mentions(without, HAN_CODEC, predicates=1), "天地玄人人口多少") == keys["天地"]
