"""Formulas in an author's HTML and in outputs that are HTML: Jupyter shows both as formulas."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

from docutils import nodes

if TYPE_CHECKING:
    from sphinx.application import Sphinx

# A dollar beside a space, a word or another dollar belongs to an amount or a name: $5 or US$.
_FORMULA = re.compile(
    r"\$\$(?P<block>[^$]+)\$\$"
    r"|\\\[(?P<bracketed>.+?)\\\]"
    r"|\\\((?P<inline>.+?)\\\)"
    r"|(?<![\\$\w])\$(?P<dollars>[^\s$](?:[^$\n]*[^\s\\$])?)\$(?![\w$])",
    re.DOTALL,
)
# As MathJax: neither within these tags nor within these classes.
_APART = {"code", "pre", "script", "style", "textarea", "noscript", "math", "svg", "option"}
_IGNORED = {"tex2jax_ignore", "mathjax_ignore"}
_VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source"}


class Parts(nodes.General, nodes.Element):
    """HTML with formulas in it: raw text and formulas, in their order."""


def setup(app: Sphinx) -> None:
    """Connect this part to Sphinx."""
    writers: Any = dict.fromkeys(("html", "latex", "text"), (_pass, _pass))
    app.add_node(Parts, **writers)
    # Before formulas are looked at (400).
    app.connect("doctree-read", _read, priority=250)


def _pass(_translator: Any, _node: nodes.Node) -> None:
    """Write the parts alone."""


def _read(_app: Sphinx, doctree: nodes.document) -> None:
    for raw in list(doctree.findall(nodes.raw)):
        text = raw.astext()
        if "html" not in raw.get("format", "").split() or not re.search(r"\$|\\[(\[]", text):
            continue
        parts = Parts(**raw.attributes)
        end = 0
        for begin, found in _formulas(text):
            parts += nodes.raw("", text[end:begin], format="html")
            tex = html.unescape(next(filter(None, found.groups()))).strip()
            displayed = found["block"] or found["bracketed"]
            kind = nodes.math_block if displayed else nodes.math
            parts += kind(found[0], tex, **({"number": None} if displayed else {}))
            end = begin + len(found[0])
        if end:
            parts += nodes.raw("", text[end:], format="html")
            for part in (parts, *parts.children):
                part.source, part.line = raw.source, raw.line
            raw.replace_self(parts)


def _formulas(markup: str) -> Iterator[tuple[int, re.Match[str]]]:
    """Yield the formulas in the text of HTML, and where each begins."""
    reader = _Reader(markup)
    reader.feed(markup)
    reader.close()
    for begin, text in reader.texts:
        for found in _FORMULA.finditer(text):
            yield begin + found.start(), found


class _Reader(HTMLParser):
    """Finds the texts that may hold formulas."""

    def __init__(self, markup: str) -> None:
        super().__init__(convert_charrefs=False)
        lines = markup.splitlines(keepends=True)
        self._starts = [0]
        for line in lines:
            self._starts.append(self._starts[-1] + len(line))
        self._apart: list[str] = []
        self._continues = False
        self.texts: list[tuple[int, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._continues = False
        classes = (dict(attrs).get("class") or "").split()
        if tag not in _VOID and (self._apart or tag in _APART or _IGNORED & {*classes}):
            self._apart.append(tag)

    def handle_endtag(self, tag: str) -> None:
        self._continues = False
        if tag in self._apart:
            while self._apart.pop() != tag:
                pass

    def handle_startendtag(self, _tag: str, _attrs: list[tuple[str, str | None]]) -> None:
        self._continues = False

    def handle_comment(self, _data: str) -> None:
        self._continues = False

    def handle_data(self, data: str) -> None:
        self._add(data)

    def handle_entityref(self, name: str) -> None:
        self._add(f"&{name};")

    def handle_charref(self, name: str) -> None:
        self._add(f"&#{name};")

    def _add(self, text: str) -> None:
        if self._apart:
            return
        if self._continues:
            begin, before = self.texts.pop()
            self.texts.append((begin, before + text))
        else:
            line, column = self.getpos()
            self.texts.append((self._starts[line - 1] + column, text))
        self._continues = True
