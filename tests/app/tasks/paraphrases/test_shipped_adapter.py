"""The adapter that is shipped, with the default model: questions and statements in both languages, as a user asks."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from app.languages.registry import LANGUAGES
from app.tasks.paraphrases.worked import asking

TEXTS = {
    "Is it possible to live without sleep?": "en",
    "How can I get better grades in school?": "en",
    "你知道去火车站怎么走吗？": "zh",
    "我每天坐公共汽车去上班。": "zh",
}


def test_the_texts_come_back_in_other_words_of_about_their_length() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "app.cli.entry", "paraphrases", *TEXTS, "--seed", "1", "--json"],
        env=os.environ,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert [one["source"] for one in answer["paraphrases"]] == [*TEXTS]
    for one in answer["paraphrases"]:
        language = LANGUAGES[TEXTS[one["source"]]]
        assert one["model"]["context"] == asking(one["source"], language)
        said = one["texts"][0]["text"]
        units = [{text[a:b].lower() for a, b in language.units(text)} for text in (one["source"], said)]
        assert units[0] & units[1] and units[0] != units[1], said
        assert one["texts"][0]["overlap"] < 0.8, said
