"""Each page's content security policy: nothing but this site, and of inline code what is trusted.

A page's own text can bring a script: HTML in its source, or an output of its cells. Nothing
else that comes to stand in the text is trusted, whatever it was made from.
"""

from __future__ import annotations

import base64
import hashlib
import html
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from bs4 import BeautifulSoup
from sphinx.util import logging

from evergreen.lessons import preparation
from evergreen.lessons.showing import GLUED, as_shown
from evergreen.look import libraries

if TYPE_CHECKING:
    from sphinx.application import Sphinx

_log = logging.getLogger(__name__)

# Other types are data to a browser.
_SCRIPT_TYPES = {"", "module", "text/javascript", "application/javascript", "importmap"}
# What of a cell's output is shown as markup.
_MARKUP = {"text/html", "text/markdown", "image/svg+xml"}
_ELEMENT = re.compile(r"<(script|style)\b[^>]*>(.*?)</\1\s*>", re.DOTALL | re.IGNORECASE)
# As much as a page must hold to bring any of them; it may hold this and bring none.
_MAY_RUN = re.compile(r"<(?:script|style|iframe)|\bon[^\s=>]*\s*=", re.IGNORECASE)
_HANDLER = re.compile(r"""\bon\w+\s*=\s*(?:"([^"]*)"|'([^']*)')""", re.IGNORECASE)


def handlers(page: BeautifulSoup) -> set[str]:
    """Return the scripts in the attributes of a page, such as onclick."""
    return {
        value
        for document in _documents(page)
        for tag in document.find_all(True)
        for name, value in tag.attrs.items()
        if name.startswith("on")
    }


def untrusted(app: Sphinx, name: str, text: str) -> set[str]:
    """Return the scripts and styles in a page's text that its author did not write there.

    Each is reported, since it will not run.

    Parameters
    ----------
    app : sphinx.application.Sphinx
    name : str
        The page's document name.
    text : str
        Its text as HTML, without what the theme puts around it.
    """
    if not _MAY_RUN.search(text):  # most pages: to parse one takes a while
        return set()
    parsed = BeautifulSoup(text, "html.parser")
    found = set(_inline(parsed, "script")) | set(_inline(parsed, "style")) | handlers(parsed)
    if not found:
        return set()
    written = {code for text in _written(app, name) for code in _code(text)}
    refused = found - written
    for code in sorted(refused):
        _log.warning(
            "A script or a style on this page stands neither in its source nor in an output of "
            "its cells, so it will not run: %r",
            code[:80],
            location=name,
        )
    return refused


def restrict(
    page: BeautifulSoup, handlers: Iterable[str], untrusted: Iterable[str], hosts: Iterable[str]
) -> None:
    """Put the policy into a page's head.

    Parameters
    ----------
    page : bs4.BeautifulSoup
    handlers : iterable of str
        Scripts in attributes that may run.
    untrusted : iterable of str
        Scripts and styles that stand on the page and may not.
    hosts : iterable of str
        Other hosts that the book allows. A page that names none of them does not need them.
    """
    refused = set(untrusted)
    text = str(page.find("article") or page)
    # Beside the text, a page asks in its head: for what an extension adds.
    named = sorted(hosts) if any(host in f"{page.head}{text}" for host in hosts) else []
    # A library sets styles, and compiles what it draws; only a page that has one lets it.
    of_library = libraries.uses(text) or bool(named)

    def allowed(element: str, attributes: Iterable[str]) -> str:
        of_attributes = set(attributes) - refused
        texts = (set(_inline(page, element)) | of_attributes) - refused
        unsafe = ["'unsafe-hashes'"] if of_attributes else []
        return " ".join(["'self'", *unsafe, *sorted(map(_hash, texts)), *named])

    styles = {
        tag["style"]
        for part in _documents(page)
        for tag in part.find_all(True)
        if "style" in tag.attrs
    }
    policy = {
        "default-src": " ".join(["'self'", *named]),
        "script-src": allowed("script", handlers) + (" 'unsafe-eval'" if of_library else ""),
        # Where a hash stands, 'unsafe-inline' means nothing.
        "style-src": " ".join(["'self' 'unsafe-inline'", *named])
        if of_library
        else allowed("style", styles),
        "img-src": " ".join(["'self'", "data:", *(["blob:"] if of_library else []), *named]),
        "media-src": " ".join(["'self'", "data:", *named]),
        "font-src": " ".join(["'self'", "data:", *named]),
        "object-src": "'none'",
        "base-uri": "'self'",
        "form-action": "'self'",
    }
    meta = page.new_tag("meta")
    meta["http-equiv"] = "Content-Security-Policy"
    meta["content"] = "; ".join(f"{name} {value}" for name, value in policy.items())
    page.head.insert(0, meta)
    # A browser looks for the encoding in the first 1024 bytes.
    for first in (page.base, page.head.find("meta", charset=True)):
        if first:
            page.head.insert(0, first.extract())


def _inline(page: BeautifulSoup, element: str) -> Iterator[str]:
    """Return the texts of all scripts, or all styles, that stand on a page."""
    for document in _documents(page):
        for tag in document.find_all(element):
            if "src" in tag.attrs:
                continue
            if element != "script" or tag.get("type", "").lower() in _SCRIPT_TYPES:
                yield tag.string or ""


def _documents(page: BeautifulSoup) -> Iterator[BeautifulSoup]:
    """Return a page, and the documents that stand in it as frames: its policy is theirs too."""
    yield page
    for frame in page.find_all("iframe"):
        if "srcdoc" in frame.attrs:
            yield from _documents(BeautifulSoup(frame["srcdoc"], "html.parser"))


def _written(app: Sphinx, name: str) -> Iterator[str]:
    """Return the markup that a page's author answers for: sources, and outputs of its cells."""
    env = app.env
    for path in map(Path, (env.doc2path(name), *env.dependencies[name])):
        if path.suffix in {*app.config.source_suffix, ".html"}:
            yield Path(env.srcdir, path).read_text("utf-8", "replace")
    executions = preparation.EXECUTIONS.of(env)
    for lesson in (name, *env.metadata[name].get("glued", ())):
        if lesson in executions:
            root = "../" * name.count("/")
            for cell in preparation.outputs(executions[lesson].key):
                for output in cell["outputs"]:
                    for text in _markup(as_shown(output.get("data", {}))):
                        yield libraries.localized(text, root)


def _markup(data: Mapping[str, str | list[str]]) -> Iterator[str]:
    """Return the markup in an output's data, by the type of each."""
    for kind, content in data.items():
        text = content if isinstance(content, str) else "".join(content)
        kind = kind.removeprefix(GLUED)
        if kind in _MARKUP:
            yield text
        elif kind == "application/javascript":  # beside HTML
            yield f"<script>{text}</script>"


def _code(markup: str) -> Iterator[str]:
    """Return the scripts and styles that stand in HTML, or in Markdown with HTML."""
    yield from (found[2] for found in _ELEMENT.finditer(markup))
    yield from (html.unescape(found[1] or found[2]) for found in _HANDLER.finditer(markup))
    if "srcdoc" in markup and "&" in markup:
        yield from _code(html.unescape(markup).replace("srcdoc", ""))


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
