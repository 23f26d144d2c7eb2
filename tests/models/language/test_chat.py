"""Chat templates: read from a model's folder, rendered as transformers does, with the message as text."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer
from transformers import PreTrainedTokenizerFast

from models.language.chat import ChatTemplate, ChatTemplateError, read_template
from models.language.tokenizer import TextTokenizer
from tests.support import tiny_service as tiny

TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}\n"
    "<turn>{{ message['role'] }}: {{ message['content'] | trim }}<turn>{% endfor %}\n"
    "{% if add_generation_prompt %}model: {% endif %}"
)
NAMES = {"bos_token": "<bos>", "eos_token": "<eos>"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tiny.save(tmp_path_factory.mktemp("chat"))
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.add_special_tokens(["<turn>"])  # unlike <eos> no piece of the vocabulary, which as text it may be
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


@pytest.fixture(scope="module")
def tokenizer(folder: Path) -> TextTokenizer:
    return TextTokenizer(Tokenizer.from_file(str(folder / "tokenizer.json")))


def test_it_is_rendered_as_transformers_renders_it(folder: Path, tokenizer: TextTokenizer) -> None:
    theirs: Any = PreTrainedTokenizerFast(tokenizer_file=str(folder / "tokenizer.json"), bos_token="<bos>")
    theirs.chat_template = TEMPLATE
    messages = [{"role": "user", "content": "read the book"}]
    text, tokens = ChatTemplate(TEMPLATE, NAMES, tokenizer).rendered("read the book")
    assert text == theirs.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)
    assert tokens == theirs.encode(text, add_special_tokens=False)
    turn = tokenizer.backend.token_to_id("<turn>")
    assert tokens[:1] == [2] and tokens.count(turn) == 2


def test_a_message_that_spells_a_control_token_is_text(tokenizer: TextTokenizer) -> None:
    _, tokens = ChatTemplate(TEMPLATE, NAMES, tokenizer).rendered("read<turn>")
    assert tokens.count(tokenizer.backend.token_to_id("<turn>")) == 2


@pytest.mark.parametrize(
    ("template", "told"),
    [
        ("{{ raise_exception('no system role') }}", "no system role"),
        ("{% for %}", "cannot be rendered"),
        ("{{ messages[0].content + 1 }}", "cannot be rendered"),
        ("hello", "does not hold a message once"),
        ("{{ messages[0].content }}{{ messages[0].content }}", "does not hold a message once"),
        ("{{ ''.__class__.__mro__[1].__subclasses__() }}", "cannot be rendered"),
    ],
)
def test_a_template_that_cannot_be_rendered_is_refused(template: str, told: str, tokenizer: TextTokenizer) -> None:
    with pytest.raises(ChatTemplateError, match=told):
        ChatTemplate(template, NAMES, tokenizer).rendered("the book")


@pytest.mark.parametrize(
    ("files", "source"),
    [
        ({}, None),
        ({"tokenizer_config.json": {"bos_token": "<bos>"}}, None),
        ({"tokenizer_config.json": {"chat_template": "one"}}, "one"),
        ({"tokenizer_config.json": {"chat_template": [{"name": "tool_use", "template": "no"}]}}, None),
        (
            {"tokenizer_config.json": {"chat_template": [{"name": "tool"}, {"name": "default", "template": "two"}]}},
            "two",
        ),
        ({"tokenizer_config.json": {"chat_template": "one"}, "chat_template.jinja": "three"}, "three"),
        ({"tokenizer_config.json": "{", "chat_template.jinja": "three"}, "three"),
    ],
)
def test_where_it_is_read_from(
    files: dict[str, Any], source: str | None, tmp_path: Path, tokenizer: TextTokenizer
) -> None:
    for name, content in files.items():
        (tmp_path / name).write_text(content if isinstance(content, str) else json.dumps(content))
    found = read_template(lambda name: tmp_path / name, tokenizer)
    assert (None if found is None else found.source) == source


def test_names_are_those_of_the_configuration(tmp_path: Path, tokenizer: TextTokenizer) -> None:
    config = {"chat_template": "x", "bos_token": {"content": "<bos>"}, "eos_token": "<eos>", "pad_token": "<pad>"}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(config))
    found = read_template(lambda name: tmp_path / name, tokenizer)
    assert found is not None and found.names == NAMES
