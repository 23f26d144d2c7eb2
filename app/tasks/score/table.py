"""A score on a terminal, token by token."""

from __future__ import annotations

from rich.console import Group
from rich.table import Table
from rich.text import Text

from app.tasks.score.schemas import TextScore

EXPECTED = 1
"""Rank up to which a token is what was expected."""
SURPRISING = 100
"""Rank above which a token surprises."""


def token_table(score: TextScore) -> Group:
    """The tokens of a ranked text, the surprising ones in colour, and what is likeliest in the place of each."""
    table = Table("token", "log p", "rank", "entropy", "likeliest", box=None)
    for column in table.columns[1:4]:
        column.justify = "right"
    for token, log_prob, rank, entropy, likeliest in zip(
        score.tokens, score.log_probs, score.ranks or (), score.entropies or (), score.top or (), strict=True
    ):
        style = "" if rank <= EXPECTED else "yellow" if rank <= SURPRISING else "red"
        listed = "  ".join(f"{_seen(one.token)} {one.log_prob:.2f}" for one in likeliest)
        table.add_row(Text(_seen(token), style=style), f"{log_prob:.2f}", str(rank), f"{entropy:.2f}", Text(listed))
    return Group(Text(summary_line(score), style="bold"), table)


def summary_line(score: TextScore) -> str:
    """A text with its log-prob."""
    return f"{score.log_prob:.3f}\t{score.log_prob_per_token:.3f}\t{score.text}"


def _seen(token: str) -> str:
    """A token whose spaces and line breaks are seen."""
    return token.replace(" ", "␣").replace("\n", "⏎")
