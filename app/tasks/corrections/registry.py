"""Languages in which errors are looked for."""

from __future__ import annotations

from app.tasks.corrections.chinese import CHINESE
from app.tasks.corrections.english import ENGLISH
from app.tasks.corrections.language import CorrectedLanguage

CORRECTED: dict[str, CorrectedLanguage] = {each.language.code: each for each in (CHINESE, ENGLISH)}
"""By code."""
