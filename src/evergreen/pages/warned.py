"""Warnings of Sphinx and its extensions: where they say that they stand, and what to do."""

from __future__ import annotations

import functools
import logging
import re
from pathlib import Path
from typing import TYPE_CHECKING

from sphinx.util.logging import WarningLogRecordTranslator

if TYPE_CHECKING:
    from sphinx.application import Sphinx

# MyST-NB counts ten thousand lines for a cell, and one before it.
_LINES = 10_000
_PLACE = re.compile(r"(\.ipynb):(\d{5,})$")
_MISSING = re.compile(r"toctree contains reference to (?:nonexisting|excluded) document '(.+?)'")


def setup(app: Sphinx) -> None:
    """Connect this part to Sphinx."""
    for handler in logging.getLogger("sphinx").handlers:
        kinds: list[object] = [type(one) for one in handler.filters]
        if WarningLogRecordTranslator in kinds:  # before a warning becomes an error
            place = kinds.index(WarningLogRecordTranslator) + 1
            handler.filters.insert(place, functools.partial(_complete, app))


def in_notebook(line: int) -> str:
    """Return the cell, from 1, and its line of what MyST-NB counts as one line of a notebook."""
    cell, line = divmod(line, _LINES)
    return f"cell {cell}, line {max(line - 1, 1)}"


def numbered(cell: int, line: int) -> int:
    """Return what MyST-NB counts a line of a cell as, both from 1."""
    return cell * _LINES + line + 1


def _complete(app: Sphinx, record: logging.LogRecord) -> bool:
    location = getattr(record, "location", None)
    if isinstance(location, str):
        record.location = _PLACE.sub(lambda at: f"{at[1]}, {in_notebook(int(at[2]))}", location)
    message = str(record.msg)
    if message.startswith("could not find bibtex key"):
        record.msg += (
            ". Enter it in a file of bibtex_bibfiles, and let a page of the contents have the "
            "directive {bibliography}."
        )
    elif "Invalid options format" in message:
        record.msg += ". Leave an empty line between the options and what follows."
    elif missing := _MISSING.match(message):
        record.location = _in_contents(app, missing[1])
    return True


def _in_contents(app: Sphinx, name: str) -> str:
    """Return the file of the contents, and the line that names a page."""
    path = Path(app.confdir, app.config.external_toc_path)
    lines = path.read_text("utf-8").splitlines() if path.is_file() else []
    found = next((number for number, line in enumerate(lines, 1) if name in line), 1)
    return f"{path.name}:{found}"
