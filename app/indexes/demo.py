"""The index `demo`: facts that any machine can make, built when first asked for."""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path

from filelock import FileLock

from models.retrieval.demo import demo_triples
from models.retrieval.index.catalogue import Catalogue
from models.retrieval.index.errors import CorruptIndexError, UnknownIndexError
from models.retrieval.index.sources import Records
from models.retrieval.loading import KeyTokenizer
from models.text.atomic import write_atomically

DEMO = "demo"


def ensure_demo(root: Path, catalogue: Catalogue, tokenizer: KeyTokenizer, *, damaged: bool = False) -> None:
    """Build the index unless it is there, not ``damaged``, of this tokenizer and of the facts of the Babel installed.

    Nobody else builds an index of this name. Processes that come at once wait for the one that
    builds; the stamp is written last, so a build that was killed is made again.

    Raises:
        RetrievalIndexError: it cannot be built.
    """
    stamp = root / f".{DEMO}.json"
    if not damaged and _is_current(catalogue, stamp, tokenizer):
        return
    root.mkdir(parents=True, exist_ok=True)
    with FileLock(root / f".{DEMO}.first.lock"):
        if not damaged and _is_current(catalogue, stamp, tokenizer):
            return
        catalogue.build(
            DEMO,
            [Records(demo_triples(), "CLDR")],
            tokenizer.key_format(triples=True),
            tokenizer.encode,
            tokenizer=tokenizer.fingerprint,
            decode=tokenizer.decode,
        )
        write_atomically(stamp, json.dumps({"babel": version("babel")}))


def _is_current(catalogue: Catalogue, stamp: Path, tokenizer: KeyTokenizer) -> bool:
    try:
        built_for = catalogue.manifest(DEMO).tokenizer
        written = json.loads(stamp.read_text("utf-8"))
        return built_for == tokenizer.fingerprint and bool(written["babel"] == version("babel"))
    except (UnknownIndexError, CorruptIndexError, OSError, ValueError, KeyError, TypeError):
        return False
