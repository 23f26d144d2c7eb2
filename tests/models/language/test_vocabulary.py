"""Masks: what they may propose and what they spell, and control tokens, which no text is read as."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers

from app.languages.registry import masks
from models.language.tokenizer import TextTokenizer
from models.language.vocabulary import WIDE, Mask, Role, SpellingError, Vocabulary, after_space

MASKS = {mask.name: mask for mask in masks({})}
PIECES = [*"▁abcdghikmnoprstuwxyABCDGIMNSUW0123456789.,!?:;/%$'()-", "▁dog", "▁Dog", "▁ran", "é", "café", "……", "—"]
HAN = [*"今天公园散步的在，。！？、《》（）", "今天", "公园", "臺灣"]


@pytest.fixture(scope="module")
def tokenizer() -> TextTokenizer:
    """With pieces for a few words and the 256 bytes, like Gemma's."""
    pieces = ["<unk>", *dict.fromkeys([*PIECES, *HAN]), *(f"<0x{byte:02X}>" for byte in range(256))]
    backend = Tokenizer(models.Unigram([(piece, -10.0 + len(piece) / 9) for piece in pieces], 0, byte_fallback=True))
    backend.normalizer = normalizers.Replace(" ", "▁")
    backend.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    backend.add_special_tokens(["<eos>", "<start_of_turn>"])
    # As Gemma and Qwen declare some: added, and not special.
    backend.add_tokens([AddedToken("<start_of_image>"), AddedToken("<think>"), AddedToken("<table>"), AddedToken("\n")])
    return TextTokenizer(Tokenizer.from_str(backend.to_str()))


def mask(name: str, tokenizer: TextTokenizer) -> Vocabulary:
    base = MASKS[name.removesuffix(WIDE)]
    if base.name == name:
        return Vocabulary.build(base, tokenizer.pieces, tokenizer.encode)
    return Vocabulary.build(base.widened(), tokenizer.pieces, tokenizer.encode, byte_pieces=tokenizer.byte_pieces)


@pytest.mark.parametrize("text", ["<eos>", "a<start_of_turn>b", "<start_of_image>", "<think>"])
def test_a_text_that_spells_a_control_token_is_text(text: str, tokenizer: TextTokenizer) -> None:
    control = {tokenizer.backend.token_to_id(token) for token in ("<eos>", "<start_of_turn>", "<start_of_image>")}
    control.add(tokenizer.backend.token_to_id("<think>"))
    assert not control & set(tokenizer.encode(text))


def test_white_space_and_markup_that_were_added_are_read_as_before(tokenizer: TextTokenizer) -> None:
    assert tokenizer.encode("\n") == [tokenizer.backend.token_to_id("\n")]
    assert tokenizer.encode("<table>") == [tokenizer.backend.token_to_id("<table>")]
    assert tokenizer.pieces[tokenizer.backend.token_to_id("\n")] == "\n"
    assert tokenizer.pieces[tokenizer.backend.token_to_id("<table>")] is None


@pytest.mark.parametrize("base", MASKS)
def test_a_wide_mask_proposes_what_its_base_does(base: str, tokenizer: TextTokenizer) -> None:
    narrow, wide = mask(base, tokenizer), mask(base + WIDE, tokenizer)
    kept = narrow.interior + narrow.ends
    assert (wide.interior, wide.ends) == (narrow.interior, narrow.ends)
    assert wide.ids[:kept].tolist() == narrow.ids[:kept].tolist()
    assert set(narrow.ids) < set(wide.ids)


@pytest.mark.parametrize(
    "word",
    [
        "5G",
        "1984",
        "10:30",
        "3.5%",
        "24/7",
        "a.m.",
        "U.S.-based",
        "café",
        "$5",
        "(a)",
        "……",
        "—",
        "€5",
        "😀",
        "𠮷",
        "Ω",
    ],
)
def test_what_people_write_can_be_spelled(word: str, tokenizer: TextTokenizer) -> None:
    for name in ("en-wide", "mixed-wide", "zh-wide"):
        vocabulary = mask(name, tokenizer)
        for spelling in vocabulary.spellings(word):
            assert vocabulary.decode(spelling) == word
            assert all(token in vocabulary.local for token in spelling)


@given(text=st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
def test_a_wide_mask_with_bytes_spells_everything(text: str, tokenizer: TextTokenizer) -> None:
    for name in ("en-wide", "zh-wide"):
        vocabulary = mask(name, tokenizer)
        assert vocabulary.decode(vocabulary.spell(text)) == text.strip()


def test_a_character_without_a_token_is_its_bytes(tokenizer: TextTokenizer) -> None:
    vocabulary = mask("zh-wide", tokenizer)
    spelled = vocabulary.spell("€")
    assert [vocabulary.piece(token) for token in spelled] == ["<0xE2>", "<0x82>", "<0xAC>"]
    assert vocabulary.decode(spelled[:2]) == "\ufffd"


def test_the_first_character_that_cannot_be_reached_is_blamed(tokenizer: TextTokenizer) -> None:
    with pytest.raises(SpellingError) as caught:
        mask("en", tokenizer).spell("dog€dog")
    assert caught.value.at == 3


def test_byte_level_tokenizers_spell_by_parts_of_characters() -> None:
    """As GPT-2 and Qwen do: a merged piece may hold part of a character."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    part = "".join(alphabet_of("€".encode()[:2]))
    vocabulary = {piece: k for k, piece in enumerate([*alphabet, part, "Ġdog"])}
    merges = [tuple(part), *(("Ġ", "d"), ("Ġd", "o"), ("Ġdo", "g"))]
    for left, right in merges[1:]:
        vocabulary.setdefault(left + right, len(vocabulary))
    backend = Tokenizer(models.BPE(vocabulary, merges))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    backend.decoder = decoders.ByteLevel()
    tokenizer = TextTokenizer(backend)
    assert tokenizer.byte_pieces[vocabulary[part]] == b"\xe2\x82"
    own = Mask(
        "own",
        lambda piece, rank: Role.END if piece == "." else Role.INTERIOR if piece == " dog" else None,
        after_space,
    )
    mask = Vocabulary.build(own.widened(), tokenizer.pieces, tokenizer.encode, byte_pieces=tokenizer.byte_pieces)
    assert mask.spell(" dog€") == (vocabulary["Ġdog"], vocabulary[part], vocabulary[alphabet_of(b"\xac")[0]])
    assert mask.decode(mask.spell(" dog€")) == "dog€"


def alphabet_of(raw: bytes) -> list[str]:
    """The printable characters that byte-level tokenizers write these bytes with."""
    plain = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    whole = {chr(code).encode(): plain.pre_tokenize_str(chr(code))[0][0] for code in (*range(128), 0x20AC)}
    table = {byte[0]: text for byte, text in whole.items() if len(byte) == 1}
    table |= dict(zip("€".encode(), whole["€".encode()], strict=True))
    return [table[byte] for byte in raw]
