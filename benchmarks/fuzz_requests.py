"""Requests that people send by mistake or in another spelling, drawn at random from a seed."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, get_args
from urllib.parse import quote

from app.tasks.corrections.kinds import Kind

USUAL = [
    *("5G", "Windows 11", "a.m.", "U.S.-based", "3.5%", "10:30", "24/7", "1984", "café", "naïve", "$5", ".NET", "C++"),
    *("dog", "Dog", "the", "park", "New York", "Who am I?", "I, Robot", "“Hi”", "don’t", "rock 'n' roll"),
    *("今天", "公园", "散步", "等一等……", "《三体》", "A/B测试", "臺灣", "好好好", "北京（首都）"),
]
"""What people write."""
ODD_WORDS = [
    *("cafe\u0301", "ＡＩ手机", "５Ｇ", "𠮷野家", "今天 公园", "", " ", "\u3000", "\u200b", "\ufeff今天", "pa\u00adrk"),
    *("\u202edog", "😀", "👨\u200d👩\u200d👧", "สวัสดี", "עברית", "\u0301", "<eos>", "<start_of_turn>", "a\r\nb"),
    *("a\u2028b", "a\u0085b", "a\tb", "\x00", "\x1b[31m", "\ud800", "x" * 300, "园" * 300, "，", "。", "......", "-"),
    *("null", "NaN", "1e999", "'; DROP TABLE", "../../etc/passwd", "%00", "${jndi:x}", "{{7*7}}"),
]
"""What they type, paste or store by mistake."""
ODD: list[Any] = [None, True, 0, -1, 1, 2.5, 1e400, 10**30, "", "5", [], {}, [[]], [None], {"kind": "x"}, "auto"]
MEDIA_TYPES = (
    "application/x-www-form-urlencoded",
    "text/plain",
    "application/json; charset=gbk",
    "multipart/form-data",
    "",
)
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "gbk", "latin-1", "cp1252", "big5", "shift_jis")
INDEXES = ("fuzz-a", "fuzz-b", "fuzz-c", "demo", "none", "A b", "..")
ROUTES = (
    *("/", "/health", "/ready", "/metrics", "/docs", "/redoc", "/openapi.json", "/v1/models", "/v1/sentences"),
    *("/v1/indexes", "/v1/indexes/fuzz-a", "/v1/indexes/none", "/v1/indexes/fuzz-a/search", "/v1/jobs"),
    *("/v1/files", "/v1/files/none", "/v1/files/none/content", "/v1/batches", "/v1/batches/none/cancel"),
    *("/v1/jobs/none", "/v1/jobs/none/results", "/v1/jobs/none/events", "/v1/sentences/", "/v1", "//v1/score"),
    *("/v1/links", "/v1/score", "/v1/score%00", "/%E4%BB%8A"),
)


@dataclass(frozen=True)
class FuzzedRequest:
    """A request as it goes on the wire."""

    method: str
    path: str
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


CONTEXTS = [
    {"kind": "pool"},
    {"kind": "examples"},
    {"kind": "instruction"},
    {"text": "<eos>"},
    {"kind": "verse"},
    [],
    3,
]


class Fuzzer:
    """Draws requests; the same seed, the same ones."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)

    def request(self) -> FuzzedRequest:
        """The next one."""
        kinds: list[tuple[int, Callable[[], FuzzedRequest]]] = [
            (24, self._sentences),
            (10, self._infills),
            (6, self._paraphrases),
            (6, self._corrections),
            (24, self._score),
            (10, self._search),
            (6, self._links),
            (6, self._readings),
            (4, self._walk),
            (8, self._index),
            (4, self._upload),
            (5, self._patch),
            (5, self._job),
            (4, self.file),
            (4, self._batch),
            (10, self._route),
        ]
        return self.rng.choices([make for _, make in kinds], [weight for weight, _ in kinds])[0]()

    def word(self) -> str:
        """A word, or several joined by what people join them with."""
        rng = self.rng
        if rng.random() < 0.8:
            return rng.choice(USUAL if rng.random() < 0.8 else ODD_WORDS)
        if rng.random() < 0.5:
            words = rng.choices(USUAL + ODD_WORDS, k=rng.randint(2, 4))
            return rng.choice(["", " ", "-", "/", ", ", "，", "\n"]).join(words)
        ranges = [(0x20, 0x7F), (0xA0, 0x250), (0x300, 0x370), (0x2000, 0x2070), (0x3000, 0x3040), (0x4E00, 0x9FFF)]
        ranges += [(0xFF00, 0xFFEF), (0x1F300, 0x1FAFF), (0xE0000, 0xE0080), (0, 0x110000)]
        return "".join(chr(rng.randrange(*rng.choice(ranges))) for _ in range(rng.randint(1, 6)))

    def _some(self, most: int = 4) -> list[Any]:
        return [self.word() for _ in range(self.rng.randint(0, most))]

    def _sampler(self) -> dict[str, Any]:
        rng = self.rng
        sampler: dict[str, Any] = {"chains": rng.randint(1, 2), "steps": rng.randint(0, 3)}
        if rng.random() < 0.7:
            sampler["kind"] = rng.choice(["annealing", "metropolis"])
        if rng.random() < 0.2:
            sampler["schedule"] = rng.choice([{"stop": 3}, {"kind": "listed", "betas": [1, 2]}, {"kind": "cosine"}, 7])
        if rng.random() < 0.2:
            sampler["moves"] = {
                rng.choice(["replace", "insert", "delete", "swap", "jump"]): rng.choice([0, 1, -1, "1"])
            }
        return sampler

    def _sentences(self) -> FuzzedRequest:
        rng = self.rng
        keywords = [self._some(3) if rng.random() < 0.15 else self.word() for _ in range(rng.randint(0, 3))]
        body: dict[str, Any] = {"keywords": keywords, "sampler": self._sampler(), "seed": rng.randint(0, 9)}
        optional: dict[str, Callable[[], Any]] = {
            "ordered": lambda: rng.random() < 0.5,
            "language": lambda: rng.choice(["zh", "en", "auto", "fr", None]),
            "context": lambda: rng.choice([None, "", self.word(), "今天。\r\n" * 3, *CONTEXTS]),
            "proposals": lambda: rng.choice(["context", "examples", "instruction", "pool"]),
            "allow_copies": lambda: rng.random() < 0.2,
            "once": lambda: True,
            "rank_by": lambda: rng.choice(["consensus", "acceptability", "minimum_bayes_risk", "log_prob"]),
            "length": lambda: {
                "min": rng.choice([None, 1, 3, 50]),
                "max": rng.choice([None, 0, 1, 2, 4, 9, 40]),
                "unit": rng.choice([None, "words", "characters", "tokens", "bytes"]),
            },
            "forbidden": lambda: self._some(3),
            "allow_repeats": lambda: True,
            "samples": lambda: rng.choice([1, 3, 0, 1000]),
            "stream": lambda: rng.random() < 0.5,
        }
        return self._json("/v1/sentences", self._spoilt(body, optional))

    def _infills(self) -> FuzzedRequest:
        rng = self.rng
        parts = [self.word() if rng.random() < 0.8 else "" for _ in range(rng.randint(1, 4))]
        text = rng.choice(["___", " ___ ", "＿＿＿", "__", "_____"]).join(parts) + rng.choice(
            ["", "。", ".", "?", "……"]
        )
        body: dict[str, Any] = {"text": text, "sampler": self._sampler(), "seed": rng.randint(0, 9)}
        optional: dict[str, Callable[[], Any]] = {
            "blanks": lambda: [self._blank() for _ in range(max(0, len(parts) - rng.choice([1, 1, 1, 0, 2])))],
            "language": lambda: rng.choice(["zh", "en", "auto", "fr"]),
            "context": lambda: rng.choice(["", self.word(), *CONTEXTS]),
            "forbidden": lambda: self._some(3),
            "samples": lambda: rng.choice([1, 3, 0, 1000]),
            "stream": lambda: rng.random() < 0.5,
        }
        return self._json("/v1/infills", self._spoilt(body, optional))

    def _paraphrases(self) -> FuzzedRequest:
        rng = self.rng
        texts = [" ".join(self._some(5)) + rng.choice(["", "。", ".", "?", "……"]) for _ in range(rng.randint(0, 2))]
        body: dict[str, Any] = {"texts": texts, "sampler": self._sampler(), "seed": rng.randint(0, 9)}
        optional: dict[str, Callable[[], Any]] = {
            "keep": lambda: self._some(2),
            "change": lambda: rng.choices(["numbers", "negations", "names", "verbs"], k=rng.randint(0, 2)),
            "strength": lambda: rng.choice(["light", "medium", "strong", "strongest", 2]),
            "length": lambda: {"min": rng.choice([0, 1, 9]), "max": rng.choice([1, 30, 10**6])},
            "similarity": lambda: rng.choice(["auto", "model", "encoder", None]),
            "language": lambda: rng.choice(["zh", "en", "auto", "fr"]),
            "context": lambda: rng.choice(["", self.word(), *CONTEXTS]),
            "proposals": lambda: rng.choice(["context", "examples", "instruction"]),
            "samples": lambda: rng.choice([1, 3, 0, 1000]),
        }
        return self._json("/v1/paraphrases", self._spoilt(body, optional))

    def _corrections(self) -> FuzzedRequest:
        rng = self.rng
        body: dict[str, Any] = {"texts": [self.word() for _ in range(rng.randint(0, 3))]}
        optional: dict[str, Callable[[], Any]] = {
            "language": lambda: rng.choice(["zh", "zh", "en", "auto"]),
            "kinds": lambda: rng.choices([*get_args(Kind), "grammar"], k=rng.randint(1, 6)),
            "protect": lambda: self._some(2),
            "names": lambda: self._some(),
            "edits": lambda: [{"old": self.word(), "new": self.word()} for _ in range(rng.randint(0, 3))],
            "confidence": lambda: rng.choice([0, 0.5, 1, 2, None]),
            "alternatives": lambda: rng.choice([0, 3, 17]),
            "context": lambda: rng.choice(["", self.word(), *CONTEXTS]),
            "stream": lambda: rng.random() < 0.5,
        }
        return self._json("/v1/corrections", self._spoilt(body, optional))

    def _blank(self) -> dict[str, Any]:
        rng = self.rng
        optional: dict[str, Callable[[], Any]] = {
            "keywords": lambda: self._some(2),
            "length": lambda: {"min": rng.choice([1, 2, 0]), "max": rng.choice([None, 1, 3, 9]), "unit": "tokens"},
            "pattern": lambda: rng.choice(["[a-z ]+", "[天人]{2}", "(", "a|b", ".*"]),
        }
        return {name: make() for name, make in optional.items() if rng.random() < 0.3}

    def _score(self) -> FuzzedRequest:
        rng = self.rng
        texts = [
            rng.choice([self.word(), " ".join(self._some()) + ".", "".join(self._some()) + "。"]) for _ in range(3)
        ]
        optional: dict[str, Callable[[], Any]] = {
            "context": lambda: rng.choice(["", self.word(), "<eos>"]),
            "language": lambda: rng.choice(["zh", "en", "auto", "xx"]),
            "top": lambda: rng.choice([1, 5, 20, 0, 21, -1]),
        }
        return self._json("/v1/score", self._spoilt({"texts": texts[: rng.randint(0, 3)]}, optional))

    def _search(self) -> FuzzedRequest:
        rng = self.rng
        optional: dict[str, Callable[[], Any]] = {
            "n": lambda: rng.choice([1, 3, 0, 99]),
            "beams": lambda: rng.choice([1, 4, 0]),
            "mode": lambda: rng.choice(["beam", "exact", "x"]),
            "queries": lambda: self._some(2),
            "explain": lambda: True,
            "stream": lambda: True,
        }
        return self._json(f"/v1/indexes/{rng.choice(INDEXES)}/search", self._spoilt({"query": self.word()}, optional))

    def _links(self) -> FuzzedRequest:
        rng = self.rng
        optional: dict[str, Callable[[], Any]] = {
            "texts": lambda: self._some(2),
            "n": lambda: rng.choice([1, 3, 0, 99]),
            "confidence": lambda: rng.choice([0, 0.5, 1, 2, None]),
            "stream": lambda: rng.random() < 0.5,
        }
        body = {"text": rng.choice(["", " ", "，"]).join(self._some(6)), "index": rng.choice(INDEXES)}
        return self._json("/v1/links", self._spoilt(body, optional))

    def _readings(self) -> FuzzedRequest:
        rng = self.rng
        joiner = rng.choice(["", " ", "，", "。", ". ", "\n", "\r\n"])
        body: dict[str, Any] = {"passage": joiner.join(self._some(5)), "question": self.word()}
        optional: dict[str, Callable[[], Any]] = {
            "n": lambda: rng.choice([1, 3, 0, 99]),
            "beams": lambda: rng.choice([1, 4, 0]),
            "mode": lambda: rng.choice(["beam", "exact", "x"]),
            "longest": lambda: rng.choice([1, 9, 300, 0, 301]),
            "language": lambda: rng.choice(["zh", "en", "auto", "fr"]),
            "questions": lambda: self._some(2),
            "stream": lambda: True,
        }
        return self._json("/v1/readings", self._spoilt(body, optional))

    def _walk(self) -> FuzzedRequest:
        rng = self.rng
        tokens = rng.choice([",", ",", " ", ",,"]).join(str(rng.randint(-1, 400)) for _ in range(rng.randint(0, 4)))
        queries = [
            "",
            f"?tokens={tokens}",
            f"?tokens={tokens}",
            f"?tokens={'9' * 40}",
            "?tokens=x",
            "?limit=0",
            "?offset=9",
        ]
        return FuzzedRequest("GET", f"/v1/indexes/{rng.choice(INDEXES)}/trie{rng.choice(queries)}")

    def _lines(self) -> list[str]:
        rng = self.rng
        return [rng.choice(["\t", "\t", ",", " "]).join(self._some(4)) for _ in range(rng.randint(0, 5))]

    def _index(self) -> FuzzedRequest:
        rng = self.rng
        optional: dict[str, Callable[[], Any]] = {
            "format": lambda: rng.choice(["auto", "triples", "pairs", "pairs-jsonl", "csv", "x"]),
            "strict": lambda: rng.random() < 0.5,
            "both_ends": lambda: rng.random() < 0.5,
            "aliases": lambda: self._lines(),
        }
        return self._json("/v1/indexes", self._spoilt({"name": rng.choice(INDEXES), "lines": self._lines()}, optional))

    def _upload(self) -> FuzzedRequest:
        rng = self.rng
        body = rng.choice(["\n", "\r\n", "\r"]).join(self._lines()).encode(rng.choice(ENCODINGS), "replace")
        if rng.random() < 0.2:
            body = gzip.compress(body)[: rng.choice([None, 5, 20])]
        query = rng.choice(["", "?format=csv", "?format=triples", "?encoding=gbk", "?encoding=nope", "?strict=true"])
        return FuzzedRequest("PUT", f"/v1/indexes/{rng.choice(INDEXES)}{query}", body)

    def _patch(self) -> FuzzedRequest:
        rng = self.rng

        def entry() -> dict[str, Any]:
            names = rng.sample(["subject", "predicate", "meaning", "key", "values"], rng.randint(1, 4))
            return {name: self._some(2) if name == "values" else self.word() for name in names}

        optional: dict[str, Callable[[], Any]] = {"remove": lambda: [entry() for _ in range(rng.randint(0, 2))]}
        made = self._spoilt({"add": [entry() for _ in range(rng.randint(0, 2))]}, optional)
        return self._json(f"/v1/indexes/{rng.choice(INDEXES)}", made, "PATCH")

    def _job(self) -> FuzzedRequest:
        rng = self.rng
        urls = ["/v1/score", "/v1/score", "/v1/sentences", "/v1/indexes/fuzz-a/search", "/v1/nowhere", 7]
        items = [
            {
                "custom_id": rng.choice([self.word(), str(k), 7]),
                "url": rng.choice(urls),
                "body": self._spoilt({"texts": [self.word()]}, {}),
            }
            for k in range(rng.randint(0, 3))
        ]
        query = rng.choice(["", "?on_invalid=skip"])
        if rng.random() < 0.4:
            return self._json(f"/v1/jobs{query}", self._spoilt({"items": items}, {}))
        joiner = rng.choice(["\n", "\r\n", "", "\n\n", "\u2028"])
        text = joiner.join(json.dumps(item, ensure_ascii=rng.random() < 0.5) for item in items)
        return FuzzedRequest(
            "POST",
            f"/v1/jobs{query}",
            text.encode(rng.choice(ENCODINGS), "replace"),
            {
                "Content-Type": rng.choice(
                    ["application/jsonl", "application/x-ndjson", "application/json", "text/plain"]
                )
            },
        )

    def file(self) -> FuzzedRequest:
        """A form as OpenAI's clients send it, or nearly."""
        rng = self.rng
        item = {"custom_id": self.word(), "method": "POST", "url": "/v1/score", "body": {"texts": [self.word()]}}
        lines = "\n".join(json.dumps(self._spoilt(item, {})) for _ in range(rng.randint(0, 3)))
        parts = {
            f'file"; filename="{self.word()}': lines.encode(rng.choice(ENCODINGS), "replace"),
            "purpose": rng.choice([b"batch", b"batch", b"batch", b"vision"]),
            rng.choice(["expires_after[seconds]", "model", "purpose"]): rng.choice([b"3600", b"batch", b""]),
        }
        head = b'--cut\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'
        chosen = [each for each in parts.items() if rng.random() < 0.8]
        body = b"".join(head % (name.encode("utf-8", "replace"), data) for name, data in chosen)
        kind = rng.choice([*["multipart/form-data; boundary=cut"] * 9, *MEDIA_TYPES])
        return FuzzedRequest("POST", "/v1/files", body + rng.choice([b"--cut--\r\n", b""]), {"Content-Type": kind})

    def _batch(self) -> FuzzedRequest:
        rng = self.rng
        file = rng.choice(["none", "file-" + "0" * 28, "file-" + "0" * 28 + "-output", self.word()])
        if rng.random() < 0.5:
            path = rng.choice(["/v1/files", "/v1/batches", "/v1/batches/job_" + "0" * 28])
            tail = rng.choice(["", "/content", "/cancel", "?order=up", "?limit=1&after=x", "?purpose=batch_output"])
            return FuzzedRequest(
                rng.choice(["GET", "HEAD", "DELETE", "POST"]), f"{path}/{quote(file, errors='replace')}{tail}"
            )
        optional: dict[str, Callable[[], Any]] = {"metadata": lambda: {self.word(): rng.choice([self.word(), 1])}}
        endpoint = rng.choice(["/v1/score", "/v1/chat/completions"])
        body = {"input_file_id": file, "completion_window": "24h", "endpoint": endpoint}
        return self._json("/v1/batches", self._spoilt(body, optional))

    def _route(self) -> FuzzedRequest:
        rng = self.rng
        method = rng.choice(["GET", "HEAD", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"])
        path = rng.choice(ROUTES) + rng.choice(["", "", "", "/", "?", "?x=1", "?limit=-1", "?after=%FF"])
        return FuzzedRequest(method, path)

    def _spoilt(self, body: dict[str, Any], optional: dict[str, Callable[[], Any]]) -> Any:
        """With some optional members, and now and then one of another type, an unknown one, or one left out."""
        rng = self.rng
        for name, make in optional.items():
            if rng.random() < 0.2:
                body[name] = make()
        if rng.random() < 0.1:
            body[rng.choice([*body, *optional])] = rng.choice(ODD)
        if rng.random() < 0.03:
            body[rng.choice(["keyword", "Texts", "", self.word()])] = rng.choice(ODD)
        if rng.random() < 0.03:
            del body[rng.choice(list(body))]
        return rng.choice([[body], json.dumps(body, default=str), None]) if rng.random() < 0.02 else body

    def _json(self, path: str, body: Any, method: str = "POST") -> FuzzedRequest:
        rng = self.rng
        text = json.dumps(body, ensure_ascii=rng.random() < 0.5)
        headers = {"Content-Type": "application/json"}
        encoding = "utf-8"
        if rng.random() < 0.06:
            headers["Content-Type"] = rng.choice(MEDIA_TYPES)
        if rng.random() < 0.04:
            encoding = rng.choice(ENCODINGS)
        if rng.random() < 0.04:
            at = rng.randrange(len(text))
            text = text[:at] + rng.choice(["", ",", "}", "{" * 2000, "[" * 50, "'", "\n", "\x00"]) + text[at:]
        data = text.encode(encoding, "surrogatepass" if encoding.startswith("utf") else "replace")
        if rng.random() < 0.03:
            data = data[: rng.randrange(len(data) + 1)]
        if rng.random() < 0.01:
            headers["Content-Encoding"] = "gzip"
            data = gzip.compress(data) if rng.random() < 0.5 else data
        return FuzzedRequest(method, path, data, headers)
