"""The chat template of an instruction-tuned model."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.language.tokenizer import TextTokenizer

CONFIG_FILE, TEMPLATE_FILE = "tokenizer_config.json", "chat_template.jinja"

_MESSAGE = "\ue000"
"""Stands for the message while a template is rendered: a character of private use."""


class ChatTemplateError(ValueError):
    """A template cannot be rendered; the message says why."""


@dataclass(frozen=True, slots=True)
class ChatTemplate:
    """A model's own form of a conversation, in which control tokens are tokens and the message is text.

    Attributes:
        source: in Jinja, as transformers renders it.
        names: values by name that it may use, such as ``bos_token``.
        tokenizer: of the model.
    """

    source: str
    names: Mapping[str, str]
    tokenizer: TextTokenizer

    def rendered(self, message: str) -> tuple[str, list[int]]:
        """Text and tokens of a user's message, up to where the model's answer begins.

        Raises:
            ChatTemplateError: the template fails, or leaves the message out.
        """
        from jinja2 import TemplateError
        from jinja2.sandbox import ImmutableSandboxedEnvironment

        def refuse(reason: str) -> None:
            raise TemplateError(reason)

        environment = ImmutableSandboxedEnvironment(
            trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"]
        )
        environment.globals["raise_exception"] = refuse
        messages = [{"role": "user", "content": _MESSAGE}]
        try:
            form = environment.from_string(self.source).render(
                messages=messages, add_generation_prompt=True, **self.names
            )
        except (TemplateError, TypeError, ValueError) as error:
            raise ChatTemplateError(f"the model's chat template cannot be rendered: {error}") from error
        before, found, after = form.partition(_MESSAGE)
        if not found or _MESSAGE in after:
            raise ChatTemplateError("the model's chat template does not hold a message once")
        return before + message + after, self._encode(before, message, after)

    def _encode(self, before: str, message: str, after: str) -> list[int]:
        """Control tokens of the template as tokens, all else as text; the message with the text on both its sides."""
        added = self.tokenizer.backend.get_added_tokens_decoder()
        controls = {token.content: number for number, token in added.items() if token.special}
        pattern = re.compile("|".join(map(re.escape, sorted(controls, key=len, reverse=True))) or r"(?!)")
        parts: list[tuple[str, int | None]] = [("", None)]
        for text, is_template in ((before, True), (message, False), (after, True)):
            at = 0
            for match in pattern.finditer(text) if is_template else ():
                parts[-1] = (parts[-1][0] + text[at : match.start()], controls[match[0]])
                parts.append(("", None))
                at = match.end()
            parts[-1] = (parts[-1][0] + text[at:], None)
        tokens: list[int] = []
        for text, control in parts:
            tokens += self.tokenizer.encode(text) if text else []
            tokens += [] if control is None else [control]
        return tokens


def read_template(find: Callable[[str], Path], tokenizer: TextTokenizer) -> ChatTemplate | None:
    """The template among a model's files; None if there is none that can be read.

    Args:
        find: the path of a file of the model; raises where there is none.
        tokenizer: of the model.
    """
    config = _json(find)
    template = _text(find) or _default(config.get("chat_template"))
    names = {name: text for name in ("bos_token", "eos_token") if (text := _content(config.get(name))) is not None}
    return ChatTemplate(template, names, tokenizer) if template else None


def _json(find: Callable[[str], Path]) -> Mapping[str, Any]:
    try:
        config = json.loads(find(CONFIG_FILE).read_text("utf-8"))
    except (RuntimeError, OSError, ValueError):
        return {}
    return config if isinstance(config, dict) else {}


def _text(find: Callable[[str], Path]) -> str | None:
    try:
        return find(TEMPLATE_FILE).read_text("utf-8")
    except (RuntimeError, OSError, ValueError):
        return None


def _default(template: object) -> str | None:
    """A template, or the one named default of a list."""
    if isinstance(template, Sequence) and not isinstance(template, str):
        named = [each for each in template if isinstance(each, dict)]
        template = next((each.get("template") for each in named if each.get("name") == "default"), None)
    return template if isinstance(template, str) else None


def _content(token: object) -> str | None:
    text = token.get("content") if isinstance(token, dict) else token
    return text if isinstance(text, str) else None
