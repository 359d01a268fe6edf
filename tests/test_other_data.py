"""A course on other data of the same form: what is about garments steps aside, and is not missed.

``tests/test_data.py`` reads such data; here are the pages.
"""

from __future__ import annotations

import builtins
import re
import symtable
from collections.abc import Iterator

import pytest
from IPython.core.inputtransformer2 import TransformerManager
from myst_nb.core.read import read_myst_markdown_notebook
from support.contents import EXECUTED, FILES

from bnlab import data

TAG = "fashion-mnist"
GARMENT = re.compile(rf"\b({'|'.join(map(re.escape, data.CLASSES))})\b", re.IGNORECASE)


def _cells(page: str) -> list[tuple[set[str], str]]:
    """Return the tags and the code of each cell of a page."""
    text = FILES[page].read_text("utf-8")
    notebook = read_myst_markdown_notebook(text, add_source_map=False)
    plain = TransformerManager().transform_cell
    return [
        (set(cell.metadata.get("tags", [])), plain(cell.source))
        for cell in notebook.cells
        if cell.cell_type == "code"
    ]


def _names(table: symtable.SymbolTable) -> Iterator[tuple[str, bool]]:
    """Yield each name of the module that code uses, and whether it is given a value there."""
    of_module = table.get_type() == "module"
    for symbol in table.get_symbols():
        if of_module or symbol.is_global():
            given = of_module and (symbol.is_assigned() or symbol.is_imported())
            yield symbol.get_name(), given
    for inner in table.get_children():
        yield from _names(inner)


@pytest.mark.parametrize("page", EXECUTED)
def test_only_cells_about_fashion_mnist_name_a_garment(page: str) -> None:
    named = [code for tags, code in _cells(page) if TAG not in tags and GARMENT.search(code)]
    assert not named


@pytest.mark.parametrize("page", EXECUTED)
def test_no_other_cell_needs_what_these_define(page: str) -> None:
    known, aside = set(dir(builtins)), set()
    for tags, code in _cells(page):
        names = list(_names(symtable.symtable(code, page, "exec")))
        given = {name for name, is_given in names if is_given}
        if TAG in tags:
            aside |= given - known
        else:
            known |= given
            assert not {name for name, _ in names} & (aside - known)
