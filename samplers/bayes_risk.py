"""Minimum Bayes risk: the sentence that is, on the average, most like others of its law."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from samplers.bleu import NGrams


def expected_bleu(candidates: Sequence[NGrams], references: Sequence[NGrams]) -> npt.NDArray[np.float64]:
    """The mean BLEU of each candidate against pseudo-references, each alike: shape (candidates,), from 0 to 1.

    Args:
        candidates: to choose among.
        references: sentences of the law, at least one; a candidate among them is its own, too.

    Source: Kumar and Byrne, Minimum Bayes-risk decoding for statistical machine translation (NAACL 2004); with sampled
    pseudo-references Eikema and Aziz, Sampling-based approximations to minimum Bayes risk decoding (EMNLP 2022).
    """
    gains = np.array([[candidate.bleu(reference) for reference in references] for candidate in candidates])
    return np.asarray(gains.mean(axis=1))
