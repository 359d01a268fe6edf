"""What HTML lets a browser load, with the place of each address in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import NamedTuple
from urllib.parse import urlsplit

_ATTRIBUTES = {
    "img": {"src"},
    "source": {"src"},
    "video": {"src"},
    "audio": {"src"},
    "track": {"src"},
    "embed": {"src"},
    "iframe": {"src"},
    "script": {"src"},
    "input": {"src"},
    "object": {"data"},
    "link": {"href"},
    "image": {"href", "xlink:href"},
    "use": {"href", "xlink:href"},
    "a": {"href"},
}
_ALSO = {"poster", "srcset", "background"}
# What a link only names.
_NAMED = re.compile(r"canonical|alternate|author|license|help|search|next|prev", re.IGNORECASE)
_IN_STYLE = re.compile(r"""url\(\s*["']?([^"')]+)|@import\s+["']([^"']+)""")
_IN_SCRIPT = re.compile(
    r"""(?:\b(?:import|from|fetch|importScripts|Worker|load|src|href|url)\b\s*[=:(]?\s*\(?\s*)?"""
    r"""["'`]((?:https?:)?//[\w.-]+\.[a-z]{2,}(?:[:/?][^"'`\s]*)?)["'`]"""
)
_LOADING = re.compile(r"\b(?:import|from|fetch|importScripts|Worker|load|src)\b")
_LOADED = re.compile(
    r"\.(?:m?js|css|wasm|woff2?|ttf|png|jpe?g|gif|svg|webp|mp[34]|webm|wav|ogg)(?:[?#]|$)",
    re.IGNORECASE,
)
_DELIVERY = re.compile(r"(?:^|\.)(?:cdn[\w-]*|unpkg|esm|jsdelivr|skypack)\.", re.IGNORECASE)
_LIBRARY = 200_000
"""Characters of a script that is more than what an author or an output says itself."""


class Asked(NamedTuple):
    """An address in HTML.

    Attributes
    ----------
    address : str
    line : int
        The line in the HTML that its element begins in, from 0.
    loaded : bool
        Whether a browser loads it by itself; else it is a link to follow.
    """

    address: str
    line: int
    loaded: bool


def asked_by(text: str) -> list[Asked]:
    """Return every address in HTML, those of its style sheets and scripts too."""
    reader = _Reader()
    reader.feed(text)
    reader.close()
    return reader.found


def host_of(address: str) -> str:
    """Return the host that an address names, or an empty text for one within the site."""
    try:
        parts = urlsplit(address.strip())
    except ValueError:  # no address at all
        return ""
    return parts.netloc.rpartition("@")[2].lower() if parts.scheme in _ABROAD else ""


_ABROAD = {"", "http", "https", "ws", "wss", "ftp"}


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[Asked] = []
        self._inside = ""

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        line = self.getpos()[0] - 1
        given = {name: value or "" for name, value in attributes}
        self._inside = tag
        if tag == "link" and _NAMED.search(given.get("rel", "")):
            return
        for name, value in given.items():
            if name == "srcset":
                for part in value.split(","):
                    self._add(part.split()[0] if part.split() else "", line)
            elif name in _ATTRIBUTES.get(tag, ()) or name in _ALSO:
                self._add(value, line, loaded=tag != "a")
            elif name == "style":
                self._add_all(_in_style(value), line)
            elif name == "srcdoc":
                self.found += [found._replace(line=line) for found in asked_by(value)]

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attributes)
        self._inside = ""

    def handle_endtag(self, _tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        line = self.getpos()[0] - 1
        if self._inside == "style":
            self._add_all(_in_style(data), line)
        elif self._inside == "script" and len(data) < _LIBRARY:
            self._add_all(_in_script(data), line)

    def _add_all(self, addresses: Iterator[str], line: int) -> None:
        for address in addresses:
            self._add(address, line)

    def _add(self, address: str, line: int, *, loaded: bool = True) -> None:
        if address.strip():
            self.found.append(Asked(address.strip(), line, loaded))


def _in_style(css: str) -> Iterator[str]:
    yield from (found[1] or found[2] for found in _IN_STYLE.finditer(css))


def _in_script(script: str) -> Iterator[str]:
    """Yield the addresses of other hosts that a script seems to load something from."""
    for found in _IN_SCRIPT.finditer(script):
        address = found[1]
        if (
            _LOADING.search(found[0][: found[0].index(address)])
            or _LOADED.search(urlsplit(address).path)
            or _DELIVERY.search(host_of(address))
        ):
            yield address
