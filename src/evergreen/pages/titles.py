"""The titles of pages that Sphinx has not read, or will never read."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat

_FRONT_MATTER = re.compile(r"\A---\n.*?^---\n", re.DOTALL | re.MULTILINE)
_CODE = re.compile(r"^(`{3,}|~{3,}).*?^\1", re.DOTALL | re.MULTILINE)
_TITLE = re.compile(r"^# +(.+?)[# ]*$", re.MULTILINE)


def title_of(path: Path) -> str:
    """Return the first heading of a source file as it stands there, or the file's name."""
    text = path.read_text("utf-8", "replace")
    if path.suffix == ".ipynb":
        cells = nbformat.reads(text, as_version=4).cells
        text = "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    found = _TITLE.search(_CODE.sub("", _FRONT_MATTER.sub("", text)))
    return found[1] if found else path.stem
