"""A server of models on loopback, which speaks as much of the hub's API and of ModelScope's as their libraries ask."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@dataclass(eq=False)
class ModelHub:
    """What stands at a URL.

    Attributes:
        url: of the server.
        models: folders by name.
        asked: method, path and Authorization header of each request.
    """

    url: str
    models: dict[str, Path]
    asked: list[tuple[str, str, str | None]] = field(default_factory=list)


@contextmanager
def model_hub(models: dict[str, Path]) -> Iterator[ModelHub]:
    """Serve models until the end."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    hub = ModelHub(f"http://127.0.0.1:{server.server_address[1]}", models)
    server.hub = hub  # type: ignore[attr-defined]
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer()

    def do_HEAD(self) -> None:
        self._answer()

    def log_message(self, *args: Any) -> None:
        """Nothing is written to standard error."""

    def _answer(self) -> None:
        hub: ModelHub = self.server.hub  # type: ignore[attr-defined]
        hub.asked.append((self.command, self.path, self.headers["Authorization"]))
        url = urlsplit(self.path)
        for pattern, answer in (
            (r"/api/models/([^/]+/[^/]+)(?:/revision/\w+)?", self._card),
            (r"/api/models/([^/]+/[^/]+)/tree/\w+", self._tree),
            (r"/([^/]+/[^/]+)/resolve/\w+/(.+)", self._file),
            (r"/api/v1/models/([^/]+/[^/]+)/repo/files", self._scope_files),
            (r"/api/v1/models/([^/]+/[^/]+)/repo", self._scope_file),
        ):
            if (match := re.fullmatch(pattern, url.path)) is not None:
                folder = hub.models.get(match[1])
                if folder is not None:
                    answer(folder, *match.groups())
                    return
        self._send(404, b"{}", {"X-Error-Code": "RepoNotFound"})

    def _card(self, folder: Path, name: str) -> None:
        siblings = [{"rfilename": file.name} for file in sorted(folder.iterdir())]
        self._json({"_id": "0", "id": name, "modelId": name, "sha": COMMIT, "private": False, "siblings": siblings})

    def _tree(self, folder: Path, name: str) -> None:
        self._json(
            [
                {"type": "file", "path": file.name, "size": file.stat().st_size, "oid": _digest(file)}
                for file in sorted(folder.iterdir())
            ]
        )

    def _file(self, folder: Path, name: str, file: str) -> None:
        path = folder / file
        self._send(200, path.read_bytes(), {"ETag": f'"{_digest(path)}"', "X-Repo-Commit": COMMIT})

    def _scope_files(self, folder: Path, name: str) -> None:
        files = [
            {"Path": file.name, "Type": "blob", "Size": file.stat().st_size, "Sha256": _digest(file)}
            for file in sorted(folder.iterdir())
        ]
        self._json({"Code": 200, "Success": True, "Data": {"Files": files}})

    def _scope_file(self, folder: Path, name: str) -> None:
        (file,) = parse_qs(urlsplit(self.path).query)["FilePath"]
        self._send(200, (folder / file).read_bytes(), {})

    def _json(self, content: Any) -> None:
        self._send(200, json.dumps(content).encode(), {"Content-Type": "application/json"})

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in (headers | {"Content-Length": str(len(body))}).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
