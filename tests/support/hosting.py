"""A host for the built site, on this machine."""

from __future__ import annotations

import functools
import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from bs4 import BeautifulSoup


class _Host(http.server.SimpleHTTPRequestHandler):
    """Answers below one path, and elsewhere with the site's page for wrong addresses."""

    def __init__(self, *arguments: object, base: str, directory: str) -> None:
        self._base = base
        super().__init__(*arguments, directory=directory)

    def log_message(self, *_arguments: object) -> None:
        pass

    def translate_path(self, path: str) -> str:
        if not urlsplit(path).path.startswith(self._base):
            return f"{self.directory}/there is no such file"
        return super().translate_path(f"/{path.removeprefix(self._base)}")

    def send_error(self, code: int, *_arguments: object) -> None:
        body = (Path(self.directory) / "404.html").read_bytes()
        self.send_response(code)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def host(html: Path) -> Iterator[str]:
    """Serve a site as a static host does, and return the address of its folder.

    A site that knows its address is served below that address's path, to which its page for
    wrong addresses leads.
    """
    page = BeautifulSoup((html / "404.html").read_text("utf-8"), "html.parser")
    base = page.base["href"]
    handler = functools.partial(_Host, base=base, directory=str(html))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}{base}"
        server.shutdown()
