"""Entries of the contents that would do nothing, or be shown as they are written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import yaml  # type: ignore[import-untyped]
from sphinx_external_toc.parsing import TOCTREE_OPTIONS

from evergreen.errors import EvergreenError
from evergreen.stopping import stopping

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.config import Config

_LISTS = {"parts", "subtrees"}
_ITEMS = {"chapters", "sections", "entries", "items"}
_PAGES = {"root", "file", "glob", "url"}
_FORMULA = re.compile(r"(?<!\\)\$[^$\s](?:[^$\n]*[^$\s])?\$")


class ContentsError(EvergreenError):
    """The contents say what nobody reads."""


def setup(app: Sphinx) -> None:
    """Connect this part to Sphinx."""
    app.connect("config-inited", _refuse)


def _refuse(app: Sphinx, config: Config) -> None:
    path = Path(app.srcdir, config.external_toc_path)
    if not path.is_file():
        return
    root = yaml.compose(path.read_text("utf-8"), Loader=yaml.SafeLoader)
    found = [f"{path.name}, line {line + 1}: {what}" for line, what in _wrong(root)]
    if formula := _FORMULA.search(config.html_title or ""):
        found.append(f"_config.yml: {_of_formula(formula[0], 'the title of a book')}")
    with stopping():
        if found:
            raise ContentsError("\n".join(found))


def _wrong(node: yaml.Node | None) -> Iterator[tuple[int, str]]:
    """Return the lines of what would do nothing, from 0, with a sentence for each."""
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _wrong(item)
    if not isinstance(node, yaml.MappingNode):
        return
    keys = {key.value: key.start_mark.line for key, _ in node.value}
    if "options" in keys and _LISTS & keys.keys():
        yield (
            keys["options"],
            "options: are of chapters: without parts:, and do nothing here. Write each, such as "
            "`numbered: true`, into the parts, or all into `defaults:` in place of `options:`.",
        )
    if _ITEMS & keys.keys() and not _PAGES & keys.keys():
        for name, line in keys.items():
            if name not in _ITEMS.union(TOCTREE_OPTIONS):
                yield line, _of_unknown(name, "a part", (*TOCTREE_OPTIONS, "chapters"))
    if "glob" in keys:
        for name, line in keys.items():
            if name != "glob":
                yield line, _of_unknown(name, "an entry with glob", ("glob",))
    for key, value in node.value:
        if key.value in ("options", "defaults") and isinstance(value, yaml.MappingNode):
            for name in (option for option, _ in value.value):
                if name.value not in TOCTREE_OPTIONS:
                    what = _of_unknown(name.value, key.value, TOCTREE_OPTIONS)
                    yield name.start_mark.line, what
        elif key.value in ("title", "caption") and (found := _FORMULA.search(str(value.value))):
            yield value.start_mark.line, _of_formula(found[0], f"a {key.value} in the contents")
        yield from _wrong(value)


def _of_unknown(name: str, owner: str, known: tuple[str, ...]) -> str:
    return f"{name}: does nothing in {owner}, which has only {', '.join(known)}."


def _of_formula(formula: str, what: str) -> str:
    return (
        f"{formula} would be shown as it stands, since {what} is plain text. Write it without a "
        "formula, as in γ²; a page without a title there is called as its own heading is."
    )
