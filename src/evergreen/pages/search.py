"""The search index: with numbers and Greek letters, and after any build that of a first one."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sphinx.search import SearchLanguage, js_index, languages
from sphinx.search.en import SearchEnglish

if TYPE_CHECKING:
    from docutils import nodes
    from sphinx.application import Sphinx
    from sphinx.config import Config

# A number is one word, with its point. evergreen.look's search.js takes a query apart likewise.
_NUMBER = re.compile(r"(?<![\w.])\d+(?:[.,]\d+)*(?:e[+-]?\d+)?(?!\w)", re.IGNORECASE)
_RAISED = re.compile("[\u00b2\u00b3\u00b9\u2070-\u209c]")
_GREEK = {
    chr(code): unicodedata.name(chr(code)).split()[-1].lower().replace("lamda", "lambda")
    for code in range(0x3B1, 0x3CA)
    if code != 0x3C2  # the sigma that ends a word
}
_MACRO = re.compile(rf"\\(?:var)?({'|'.join(_GREEK.values())})(?![a-zA-Z])", re.IGNORECASE)


def setup(app: Sphinx) -> None:
    """Connect this part to Sphinx."""
    app.connect("config-inited", _take_words)
    index = _Index()
    app.connect("doctree-resolved", index.note)
    # The last event before Sphinx writes the index.
    app.connect("html-collect-pages", index.remember)
    app.connect("build-finished", index.complete)


def _take_words(_app: Sphinx, config: Config) -> None:
    """Let the index of the book's language have numbers, and Greek letters by both their names."""
    code = config.html_search_language or config.language or "en"
    code = code if code in languages else code.split("_")[0]
    known = languages.get(code, SearchEnglish)
    if isinstance(known, str):
        module, _, name = known.rpartition(".")
        known = getattr(import_module(module), name)
    if not issubclass(known, _Words):
        languages[code] = type(known.__name__, (_Words, known), {})


class _Words(SearchLanguage):
    """Finds the words of a text, with what Sphinx leaves out or takes apart."""

    def split(self, input: str) -> list[str]:  # noqa: A002
        text = _RAISED.sub(" ", input)
        letters = {letter: name for letter, name in _GREEK.items() if letter in text.lower()}
        named = {name.lower() for name in _MACRO.findall(text)}
        return [
            *super().split(_NUMBER.sub(" ", text)),
            *_NUMBER.findall(text),
            *letters.values(),
            *(word for entry in _GREEK.items() if entry[1] in named for word in entry),
        ]


class _Index:
    """Completes the index in its file.

    For pages that are not written, Sphinx takes what the last build's index says, but loses its
    index entries (issue 12599), and keeps the words that no page has any more (unreported).
    """

    def __init__(self) -> None:
        self._written: set[str] = set()
        self._last: dict[str, Any] = {}

    def note(self, _app: Sphinx, _tree: nodes.document, name: str) -> None:
        """Note that a page is written."""
        self._written.add(name)

    def remember(self, app: Sphinx) -> list[Any]:
        """Remember the last build's index."""
        self._last = _read(app)
        return []

    def complete(self, app: Sphinx, error: Exception | None) -> None:
        """Put in and take out what is missing and left in the new one."""
        if error is not None or not self._written or not self._last or app.builder.name != "html":
            return
        index = _read(app)
        number = {name: place for place, name in enumerate(index["docnames"])}
        entries = index["indexentries"]
        for entry, places in self._last["indexentries"].items():
            for place, target, main in places:
                name = self._last["docnames"][place]
                if name in number and name not in self._written:
                    entries.setdefault(entry, []).append([number[name], target, main])
        for places in entries.values():
            places.sort(key=lambda place: place[0])
        for words in ("terms", "titleterms"):
            index[words] = _in_use(index[words])
        # Its keys are sorted, as Sphinx's own.
        _file(app).write_text(js_index.dumps(index), "utf-8")


def _in_use(words: Mapping[str, object]) -> dict[str, object]:
    return {word: pages for word, pages in words.items() if pages != []}


def _file(app: Sphinx) -> Path:
    return Path(app.outdir, "searchindex.js")


def _read(app: Sphinx) -> dict[str, Any]:
    path = _file(app)
    found: dict[str, Any] = js_index.loads(path.read_text("utf-8")) if path.is_file() else {}
    return found
