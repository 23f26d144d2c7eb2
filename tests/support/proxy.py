"""A reverse proxy on a loopback port that shows a service below a path."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx

KEPT = ("content-type", "location", "link", "cache-control", "content-security-policy", "x-has-more")


@contextmanager
def proxying(url: str, path: str, *, strips: bool) -> Iterator[str]:
    """Its URL, without the path.

    Args:
        url: of the service.
        path: below which it is shown; all else is 404 here.
        strips: whether the path is taken off before the service is asked.
    """

    class Handler(BaseHTTPRequestHandler):
        def forward(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            if not self.path.startswith(f"{path}/"):
                self.send_error(404)
                return
            target = self.path.removeprefix(path) if strips else self.path
            headers = {name: self.headers[name] for name in ("content-type", "authorization") if name in self.headers}
            answer = httpx.request(
                self.command, f"{url}{target}", content=body, headers=headers, trust_env=False, timeout=300
            )
            self.send_response(answer.status_code)
            for name in KEPT:
                if name in answer.headers:
                    self.send_header(name, answer.headers[name])
            self.send_header("content-length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        do_GET = do_POST = do_PUT = do_DELETE = forward  # noqa: N815 - the names that http.server calls

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
