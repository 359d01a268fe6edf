"""Options of cells that do nothing: misspelt, of another directive, or of another form.

MyST-NB passes over what it does not know, and a page would show what was to be hidden.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any

import nbformat
from myst_nb.core.config import NbParserConfig, Section

TAGS = (
    *("hide-input", "hide-output", "hide-cell", "remove-input", "remove-output", "remove-cell"),
    *("remove-stderr", "remove-stdout", "scroll-output", "output-scroll", "show-input"),
    *("full-width", "margin", "popout", "sidebar", "skip-execution", "raises-exception"),
)
"""The tags that do something, with hyphens; any other is an author's own."""

_WOULD_HIDE = re.compile(r"(?:hide|remove|hidden)\b")
_PYTHON = re.compile(r"|i?python\d*", re.IGNORECASE)
_OF_CELLS = {
    field.metadata.get("cell_key", field.name)
    for field in dataclasses.fields(NbParserConfig)
    if Section.cell_lvl in field.metadata.get("sections", ())
}
_KNOWN = {
    "mystnb": _OF_CELLS,
    "image": {"align", "alt", "classes", "height", "scale", "width"},
    "figure": {"align", "caption", "caption_before", "classes", "name"},
}
_FORMS = {
    "mystnb": "mystnb: {image: {alt: A line.}}",
    "image": "image: {alt: A line.}",
    "figure": "figure: {caption: A line.}",
}
_OF_CODE = {"linenos", "lineno-start", "number-lines", "emphasize-lines", "dedent", "force"}
_OF_PICTURES = {"alt", "width", "height", "align", "scale", "image"}
_OF_FIGURES = {"caption", "name", "label", "figure"}


def wrong(notebook: nbformat.NotebookNode, text: str) -> Iterator[tuple[int, str]]:
    """Yield the indices of code cells with such options, each with the rest of a sentence.

    Parameters
    ----------
    notebook : NotebookNode
    text : str
        Of its file.
    """
    lines = text.splitlines()
    is_markdown = "source_map" in notebook.metadata
    for index, cell in enumerate(notebook.cells):
        if cell.cell_type != "code":
            continue
        if is_markdown:
            begins = lines[notebook.metadata.source_map[index] - 1 :][:1]
            found = re.search(r"\{code-cell\}\s*(\S*)", begins[0] if begins else "")
            if found and not _PYTHON.fullmatch(found[1]):
                what = (
                    f"is of the language {found[1]}, and only Python is executed. Show such code "
                    f"as ```{found[1]}, or begin a cell with %%{found[1]} if there is such a magic "
                    "command."
                )
                yield index, what
            yield from ((index, what) for what in _misplaced(cell.metadata))
        yield from ((index, what) for what in _misspelt_tags(cell.metadata.get("tags") or []))
        yield from ((index, what) for what in _of_another_form(cell.metadata))


def _misspelt_tags(tags: list[str]) -> Iterator[str]:
    for tag in tags:
        name = tag.replace("_", "-")
        if name in TAGS:
            continue
        near = get_close_matches(name, TAGS, 1, 0.8)
        if near:
            yield f"has the tag {tag}, which does nothing. Do you mean {near[0]}?"
        elif _WOULD_HIDE.match(name):
            hiding = ", ".join(known for known in TAGS if _WOULD_HIDE.match(known))
            yield f"has the tag {tag}, which does nothing. Those that hide something are {hiding}."


def _misplaced(metadata: dict[str, Any]) -> Iterator[str]:
    """Find options that a code cell does not take as other directives do."""
    for name in metadata:
        if name in _OF_CODE:
            way = "Number its lines with `mystnb: {number_source_lines: true}`"
            if name in ("emphasize-lines", "dedent", "force", "lineno-start"):
                way = "Show such code with {code-block}, which has it"
        elif name in _OF_PICTURES:
            way = "Write it as `mystnb: {image: {alt: A line.}}`"
        elif name in _OF_FIGURES:
            way = "Write it as `mystnb: {figure: {caption: A line., name: fig-line}}`"
        elif name.replace("_", "-") in TAGS or name in ("tag", "Tags"):
            way = "Write it as `tags: [hide-input]`"
        elif name in _OF_CELLS:
            way = f"Write it as `mystnb: {{{name}: ...}}`"
        else:
            continue
        yield f"has the option {name}, which does nothing here. {way}."


def _of_another_form(metadata: dict[str, Any]) -> Iterator[str]:
    options = metadata.get("mystnb") or {}
    for name, form in _FORMS.items():
        given = options if name == "mystnb" else options.get(name) or {}
        if not isinstance(given, dict):
            yield f"has {given!r} as its `{name}`, which takes options, as in `{form}`."
            return
        for option in given:
            if option not in _KNOWN[name]:
                known = ", ".join(sorted(_KNOWN[name]))
                yield f"has the option {name}: {{{option}: ...}}, which is none. There are {known}."
    for owner, name in (("image", "alt"), ("figure", "caption"), ("figure", "name")):
        words = (options.get(owner) or {}).get(name, "")
        # Of several pictures each has its own words.
        texts = words if name == "alt" and isinstance(words, list) else [words]
        if not all(isinstance(text, str | None) for text in texts):
            yield f"has {words!r} as its `{name}`, which YAML takes for no text. Put it in quotes."
