"""Where a warning says that it stands in a notebook: in a cell, and there in a line."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING

from sphinx.util.logging import WarningLogRecordTranslator

if TYPE_CHECKING:
    from sphinx.application import Sphinx

# MyST-NB counts ten thousand lines for a cell, and one before it.
_LINES = 10_000
_PLACE = re.compile(r"(\.ipynb):(\d{5,})$")


def setup(_app: Sphinx) -> None:
    """Connect this part to Sphinx."""
    for handler in logging.getLogger("sphinx").handlers:
        kinds: list[object] = [type(one) for one in handler.filters]
        if WarningLogRecordTranslator in kinds:  # before a warning becomes an error
            handler.filters.insert(kinds.index(WarningLogRecordTranslator) + 1, _name_cell)


def in_notebook(line: int) -> str:
    """Return the cell, from 1, and its line of what MyST-NB counts as one line of a notebook."""
    cell, line = divmod(line, _LINES)
    return f"cell {cell}, line {max(line - 1, 1)}"


def _name_cell(record: logging.LogRecord) -> bool:
    location = getattr(record, "location", None)
    if isinstance(location, str):
        record.location = _PLACE.sub(lambda at: f"{at[1]}, {in_notebook(int(at[2]))}", location)
    return True
