"""Answers as a notebook shows them, by the shape of their fields, whichever task they are of.

The HTML has inline styles alone: no script, no style sheet, nothing that is fetched. Letters keep the colour of the
page, and tints are translucent, so that light and dark pages do alike; what a tint says stands in words or figures too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from html.parser import HTMLParser
from typing import Any, ClassVar

Fields = Mapping[str, Any]

BLANK = re.compile("_{3,}")
HAN = re.compile(".*?[\u3400-\u9fff]", re.DOTALL)
LETTER = "[A-Za-z0-9\u00c0-\u024f]"

ADDED = "background:rgba(40,160,80,.28);text-decoration:underline;text-underline-offset:3px"
REMOVED = "background:rgba(220,60,50,.25);text-decoration:line-through"
CELL = "vertical-align:baseline;padding:.2em 1em .2em 0"
WORDS = f"{CELL};text-align:left"
NUMBER = f"{CELL};text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap"
QUIET = "font-size:.85em;opacity:.8"
TOKEN = "display:inline-block;text-align:center;margin:0 2px 4px 0;padding:0 .25em;border-radius:3px;white-space:pre"
DARKEST = 10.0
"""Surprisal in nats from which on a token has the full tint."""

FIGURES = {
    "log_prob": "log-prob",
    "log_prob_per_token": "per token",
    "log_weight": "log-weight",
    "similarity": "similarity",
    "overlap": "overlap",
    "naturalness": "naturalness",
    "consensus": "consensus",
    "acceptability": "acceptability",
    "utility": "utility",
}
"""Figures of a text that have a column where a text has them."""

SOURCES = {
    "beam": "written by the beam",
    "exact": "written by the exact mode",
    "name": "found by its name",
    "misspelt": "found by a misspelt name",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for, as far as it can be seen in an answer.

    Attributes:
        words: every string in a list of the request.
        around: what stands around the blanks of its text, or nothing.
    """

    words: tuple[str, ...] = ()
    around: tuple[str, ...] = ()

    @classmethod
    def of(cls, request: Fields) -> Asked:
        """Of a request's body."""
        split = (BLANK.split(each) for each in request.values() if isinstance(each, str))
        return cls(tuple(_listed(request)), next((tuple(parts) for parts in split if len(parts) > 1), ()))

    def pieces(self, text: str, fills: Sequence[str]) -> Iterator[tuple[str, bool]]:
        """A text in pieces, each with whether it is a fill; in one piece where the fills cannot be placed."""
        if len(self.around) != len(fills) + 1:
            yield text, False
            return
        pieces = [(self.around[0], False)]
        for fill, after in zip(fills, self.around[1:], strict=True):
            pieces += [(fill, True), (after, False)]
        known = "".join(piece for piece, _ in pieces)
        if text.startswith(known):  # a closing mark may follow
            yield from [*pieces, (text[len(known) :], False)]
        else:
            yield text, False


def _listed(value: Any, inside: bool = False) -> Iterator[str]:
    if isinstance(value, str):
        if inside and value:
            yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _listed(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _listed(each, inside=True)


def as_html(answer: Fields, request: Fields | None = None) -> str | None:
    """An answer as HTML; None if no part of it has a shape that is known.

    Args:
        answer: its JSON, read.
        request: the body that it answers: words of it are bold where they stand in a text.
    """
    try:
        body = "".join(_shown(answer, Asked.of(request or {})))
    except (AttributeError, LookupError, TypeError, ValueError):  # of another service: alike, but not the same within
        return None
    return f'<div style="line-height:1.5">{body}{_facts(answer)}</div>' if body else None


def _shown(value: Any, asked: Asked) -> Iterator[str]:
    if isinstance(value, Mapping):
        show = next((show for names, show in SHAPES if names <= value.keys()), None)
        if show is not None:
            yield show(value, asked)
        else:
            for each in value.values():
                yield from _shown(each, asked)
    elif isinstance(value, list) and value and isinstance(value[0], Mapping):
        if _is_text(value[0]):
            yield _texts(value, asked)
        else:
            for each in value:
                yield from _shown(each, asked)


def _is_text(row: Fields) -> bool:
    return row.keys() >= {"text", "log_prob_per_token"} and "log_probs" not in row


def _texts(rows: Sequence[Fields], asked: Asked) -> str:
    """Texts with their figures."""
    figures = {name: title for name, title in FIGURES.items() if any(row.get(name) is not None for row in rows)}
    body = [[_text(row, asked), *(_figure(row.get(name)) for name in figures)] for row in rows]
    return _table(["text", *figures.values()], body, numbers=len(figures))


def _text(row: Fields, asked: Asked) -> str:
    pieces = asked.pieces(row["text"], row.get("fills") or ())
    marked = [(_bold(piece, asked.words), filled) for piece, filled in pieces]
    return _said("".join(f'<ins style="{ADDED}">{each}</ins>' if filled else each for each, filled in marked))


def _bold(text: str, words: Sequence[str]) -> str:
    """A text with those words bold that stand in it as whole words, letter case aside."""
    # Long ones first, lest a part be found in their place; what is all of the text is no word of it.
    given = sorted({word for word in words if word and word != text}, key=len, reverse=True)
    if not given:
        return escape(text)
    edged = [
        (f"(?<!{LETTER})" if re.match(LETTER, word) else "")
        + re.escape(word)
        + (f"(?!{LETTER})" if re.match(LETTER, word[-1]) else "")
        for word in given
    ]
    parts = re.split(f"({'|'.join(edged)})", text, flags=re.IGNORECASE)
    return "".join(f"<b>{escape(part)}</b>" if number % 2 else escape(part) for number, part in enumerate(parts))


def _variants(row: Fields, asked: Asked) -> str:
    """A text, and others that say the same; what is kept is bold."""
    kept = Asked((*asked.words, *(row.get("kept") or ())))
    source = _said(_bold(row["source"], kept.words))
    return f"<p><small>source</small> {source}</p>{_texts(row['texts'], kept)}"


def _correction(row: Fields, asked: Asked) -> str:
    """A text with its edits marked, and below in words."""
    source, at, marked = row["source"], 0, []
    for edit in row["edits"]:
        marked.append(escape(source[at : edit["start"]]))
        marked += [f'<del style="{REMOVED}">{escape(edit["old"])}</del>'] if edit["old"] else []
        marked += [f'<ins style="{ADDED}">{escape(edit["new"])}</ins>'] if edit["new"] else []
        at = edit["end"]
    text = f"<p>{_said(''.join(marked) + escape(source[at:]))}</p>"
    if not row["edits"]:
        return f'{text}<p style="{QUIET}">nothing to mend</p>'
    body = [[_said(_edit(edit)), escape(edit["kind"]), f"{edit['confidence']:.0%}"] for edit in row["edits"]]
    return text + _table(["edit", "kind", "confidence"], body, numbers=1)


def _edit(edit: Fields) -> str:
    old, new = (escape(edit[side].strip()) for side in ("old", "new"))
    if not old or not new:
        return f"+ {new}" if new else f"− {old}"
    return f"{old} → {new}"


def _heat(row: Fields, asked: Asked) -> str:
    """The tokens of a text on a tint by their surprisal, the log-prob of each below it."""
    ranks = row.get("ranks") or [None] * len(row["tokens"])
    cells = []
    for token, log_prob, rank in zip(row["tokens"], row["log_probs"], ranks, strict=True):
        tint = f"background:rgba(224,112,32,{0.45 * min(-log_prob / DARKEST, 1):.2f})"
        below = _figure(log_prob) + (f" #{rank}" if rank else "")
        written = escape(token.replace("\n", "⏎"))
        cells.append(f'<span style="{TOKEN};{tint}">{written}<br><small>{below}</small></span>')
    legend = "Below each token its log-prob in nats" + (", and its rank" if row.get("ranks") else "")
    legend += "; the stronger the tint, the less likely. "
    legend += f"In all {_figure(row['log_prob'])}, per token {_figure(row['log_prob_per_token'])}."
    return f'<p>{_said("".join(cells))}</p><p style="{QUIET}">{legend}</p>'


def _found(row: Fields, asked: Asked) -> str:
    """A question, and the keys that answer it, or that there is no answer."""
    head = f"<p><b>{_said(escape(row['query']))}</b></p>"
    if row["no_answer"]:
        head += "<p><b>No answer</b>: the best key is more likely wrong than is allowed.</p>"
    if not row["results"]:
        return head + f'<p style="{QUIET}">no key was found</p>'
    explained = any(result.get("explanation") for result in row["results"])
    body = [
        [
            _said(escape(result["text"])),
            _said(escape("; ".join(result["values"]))),
            *([_reason(result["explanation"])] if explained else ()),
            f"{result['confidence']:.0%}",
        ]
        for result in row["results"]
    ]
    names = ["key", "values", *(["why"] if explained else ()), "confidence"]
    lost = "; ".join(each["text"] for each in row.get("neighbours") or ())
    rest = f'<p style="{QUIET}">Not answered: {_said(escape(lost))}</p>' if lost else ""
    return head + _table(names, body, numbers=1) + rest


def _reason(explanation: Fields | None) -> str:
    """Where a key came from, where its subject stands, and what speaks for it most."""
    if explanation is None:
        return ""
    mention = explanation["mention"]
    names = [mention["text"], *([mention["name"]] if mention["misspelt"] else ())] if mention else []
    seen = ", for ".join(_said(escape(name)) for name in names)
    weighed = [each for each in explanation["features"][:3] if each["contribution"] > 0]
    named = ", ".join(f"{each['name']} {each['contribution']:+.1f}" for each in weighed)
    nats = f"<br><small>{escape(named)} nats</small>" if named else ""
    source: str = explanation["source"]
    return escape(SOURCES.get(source, source)) + (f"; the question has {seen}" if seen else "") + nats


def _job(row: Fields, asked: Asked) -> str:
    """How far a job is."""
    counts = row["request_counts"]
    done = counts["completed"] + counts["failed"]
    words = [f"{done} of {counts['total']} items done", f"{counts['failed']} failed" if counts["failed"] else ""]
    left = row.get("seconds_left")
    words += [f"about {left:.0f} s left" if left is not None else "", row.get("error") or ""]
    said = escape(", ".join(filter(None, words)))
    bar = f'<progress value="{done}" max="{max(counts["total"], 1)}" aria-label="items done"></progress>'
    return f"<p><b>{escape(row['status'])}</b> {bar} {said}<br><small>{escape(row['id'])}</small></p>"


def _facts(answer: Fields) -> str:
    """What is to be known of the run as a whole."""
    diagnostics, model = answer.get("diagnostics"), answer.get("model")
    said = [diagnostics.get("summary")] if isinstance(diagnostics, Mapping) else []
    said += [f"seed {answer['seed']}"] if "seed" in answer else []
    said += [f"model {model['name']}"] if isinstance(model, Mapping) and "name" in model else []
    words = " · ".join(escape(str(each)) for each in said if each)
    return f'<p style="{QUIET}">{words}</p>' if words else ""


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}".replace("-", "−")


def _said(marked: str) -> str:
    """Text of an answer; Chinese is said to be, for its fonts and for who has it read out."""
    return f'<span lang="zh">{marked}</span>' if HAN.match(marked) else marked


def _table(names: Sequence[str], body: Sequence[Sequence[str]], numbers: int) -> str:
    """A table, the last columns of which are numbers."""
    styles = [WORDS] * (len(names) - numbers) + [NUMBER] * numbers
    head = "".join(f'<th scope="col" style="{style}">{name}</th>' for name, style in zip(names, styles, strict=True))
    rows = (
        "".join(f'<td style="{style}">{cell}</td>' for cell, style in zip(cells, styles, strict=True)) for cells in body
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(f'<tr>{row}</tr>' for row in rows)}</tbody></table>"


Shape = tuple[frozenset[str], Callable[[Fields, Asked], str]]

SHAPES: Sequence[Shape] = (
    (frozenset({"id", "status", "request_counts"}), _job),
    (frozenset({"source", "target", "edits"}), _correction),
    (frozenset({"source", "texts"}), _variants),
    (frozenset({"query", "results", "no_answer"}), _found),
    (frozenset({"text", "tokens", "log_probs"}), _heat),
    (frozenset({"text", "log_prob_per_token"}), lambda row, asked: _texts([row], asked)),
)
"""Fields by which a shape is known, and what shows it; the first that fits counts."""


class Plain(HTMLParser):
    """The words of HTML: a line for each paragraph and row, [-what went-] and {+what came+} in brackets."""

    before: ClassVar = {"p": "\n", "tr": "\n", "td": "  ", "th": "  ", "span": " ", "br": " ", "del": "[-", "ins": "{+"}
    after: ClassVar = {"del": "-]", "ins": "+}"}

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: object) -> None:
        """What stands before an element."""
        self.text += self.before.get(tag, "")

    def handle_endtag(self, tag: str) -> None:
        """What stands behind it."""
        self.text += self.after.get(tag, "")

    def handle_data(self, data: str) -> None:
        """Text."""
        self.text += data


def as_text(html: str) -> str:
    """HTML of :func:`as_html` as plain text, for where there is no page."""
    return "\n".join(line.strip() for line in Plain(html).text.split("\n") if line.strip())
