"""Draws of a traced answer as an ArviZ DataTree; needs the extra ``arviz``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from chainwright_client.answers import Answer

if TYPE_CHECKING:
    from xarray import DataTree


def to_arviz(answer: Answer | Mapping[str, Any]) -> DataTree:
    """Log-density, length and keyword order of each chain at each step, for ArviZ to judge and to plot.

    Groups, each of dimensions (chain, draw):

    - ``posterior``: ``log_density`` (at beta = 1, in nats), ``length`` (tokens) and, where it changes,
      ``keyword_order`` at the steps that the answer's own figures are of, those after the warm-up;
    - ``warmup_posterior``: the same from the first states (draw 0) on;
    - ``sample_stats`` and ``warmup_sample_stats``, of a trace with edits: ``moved``, ``log_ratio`` (NaN where the model
      was not asked) and ``stage``; the first states count as stage 0.

    Draws are numbered by step. Seed, model and steps are attributes of the tree.

    Args:
        answer: of a task that samples, asked for with ``trace="summary"`` or ``"edits"``; or its JSON, read.

    Raises:
        ValueError: it has no trace.
        ImportError: arviz-base is not installed.
    """
    given: Mapping[str, Any] = answer.model_dump() if isinstance(answer, Answer) else answer
    if not given.get("trace"):
        raise ValueError('the answer has no trace; ask for one with trace="summary" or trace="edits"')
    try:
        import arviz_base
        import numpy as np
    except ImportError as error:
        raise ImportError(f"{error}; pip install 'chainwright-client[arviz]'") from error

    visits, edits = given["trace"]["visits"], given["trace"]["edits"]
    steps, warmup = given["diagnostics"]["steps"], given["diagnostics"]["warmup"]
    chains = 1 + max(visits["chain"])

    def followed(name: str) -> Any:
        drawn = np.empty((chains, steps + 1))
        # By chain, then step: each value holds until the chain's next overwrites it.
        for chain, step, value in zip(visits["chain"], visits["step"], visits[name], strict=True):
            drawn[chain, step:] = value
        return drawn

    def by_step(name: str, missing: float) -> Any:
        drawn = np.full((chains, steps + 1), missing)
        rows = zip(edits["chain"], edits["step"], edits[name], strict=True)
        for chain, step, value in rows:
            if step <= steps:  # after a deadline some chains are ahead of the others
                drawn[chain, step] = missing if value is None else value
        return drawn

    states = {name: followed(name) for name in ("log_density", "length", "keyword_order")}
    if np.ptp(states["keyword_order"]) == 0:
        del states["keyword_order"]
    groups = {"posterior": states}
    if edits:
        groups["sample_stats"] = {
            "moved": by_step("moved", 0).astype(bool),
            "log_ratio": by_step("log_ratio", np.nan),
            "stage": by_step("stage", 0).astype(int),
        }
    parts = {"": slice(warmup + 1, None), "warmup_": slice(0, warmup + 1)}
    data = {
        f"{part}{group}": {name: drawn[:, chosen] for name, drawn in variables.items()}
        for group, variables in groups.items()
        for part, chosen in parts.items()
    }
    tree = arviz_base.from_dict(data, save_warmup=True)
    for name, group in tree.children.items():
        numbers = np.arange(steps + 1)[parts["warmup_" if name.startswith("warmup_") else ""]]
        group.coords["draw"] = numbers
    tree.attrs |= {"seed": given["seed"], "steps": steps, "warmup": warmup, "model": given["model"]["name"]}
    return tree
