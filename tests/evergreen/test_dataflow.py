"""A claim in a notebook rests on the results that its names lead back to, and on no others."""

from __future__ import annotations

import subprocess
import sys

import nbformat
import pytest
from nbclient import NotebookClient

BEGINNING = """
import functools
from typing import NamedTuple

from evergreen.claims import Evidence, claim, note


class Result(NamedTuple):
    name: str

    @property
    def evidence(self):
        return Evidence("result", self.name)


def load(*names):
    found = [Result(name) for name in names]
    note(found)
    return found


(a,) = load("a")
(b,) = load("b")
"""
# Cells that run one after the other; each makes a claim, and says what that rests on.
CELLS = {
    "no results": ("said = claim(True, 'One is one.')", ""),
    "a name": ("x = a.name\nsaid = claim(True, x)", "a"),
    "a name of another cell": ("said = claim(True, x)", "a"),
    "a name that has another value now": ("x = 'other'\nsaid = claim(True, x)", ""),
    "two": ("said = claim(True, f'{a} {b}')", "ab"),
    "several at once": ("c, d = load('c', 'd')\nsaid = claim(True, c.name)", "cd"),
    "part of a container": ("rows = {}\nrows[1] = b\nsaid = claim(True, str(rows))", "b"),
    "what was appended": ("rows = []\nrows.append(a)\nsaid = claim(True, str(rows))", "a"),
    "a loop": (
        "rows = []\nfor name in 'ef':\n    rows += load(name)\nsaid = claim(True, str(rows))",
        "ef",
    ),
    "a branch": ("y = a\nif not rows:\n    y = b\nsaid = claim(True, y.name)", "abef"),
    "a comprehension of its own names": ("said = claim(True, str([a for a in 'xy']))", ""),
    "a function": ("def shown():\n    return z.name\n\n\nz = b\nsaid = claim(True, shown())", "b"),
    "a function of a name that changes": ("z = a\nsaid = claim(True, shown())", "a"),
    "a lambda": ("late = lambda: w.name\nw = b\nsaid = claim(True, late())", "b"),
    "a function that loads": (
        "def fetch(name):\n    return load(name)[0]\n\n\ng, h = fetch('g'), fetch('h')\n"
        "k = fetch('k')\nsaid = claim(True, k.name)",
        "k",
    ),
    "a function that keeps what it has loaded": (
        "@functools.cache\ndef kept():\n    return load('l')[0]\n\n\nfirst = kept()\n"
        "said = claim(True, kept().name)",
        "l",
    ),
    "within a magic command": ("%%time\nm = load('m')\nsaid = claim(True, str(m))", "m"),
    "after a magic command": ("said = claim(True, str(m))", "m"),
    "results that are named": ("said = claim(True, a.name, of=[b])", "b"),
}


@pytest.fixture(scope="module")
def found() -> dict[str, str]:
    """What the claim of each cell rests on, as one notebook says that has them all."""
    show = "print(*sorted(evidence.key for evidence in said.evidence), sep='')"
    codes = [BEGINNING, *(code for cell, _ in CELLS.values() for code in (cell, show))]
    notebook = nbformat.v4.new_notebook(cells=list(map(nbformat.v4.new_code_cell, codes)))
    NotebookClient(notebook, kernel_name="python3", timeout=60).execute()
    shown = [cell.outputs[0].text.strip() for cell in notebook.cells[2::2]]
    return dict(zip(CELLS, shown, strict=True))


@pytest.mark.parametrize("name", CELLS)
def test_a_claim_rests_on_what_its_names_lead_back_to(found: dict[str, str], name: str) -> None:
    assert found[name] == CELLS[name][1]


def test_in_a_cell_without_a_history_a_claim_rests_on_all_that_was_noted() -> None:
    cell = "\n" * 50 + "said = claim(True, a.name)"
    program = f"""
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
shell.run_cell({BEGINNING!r}, store_history=True).raise_error()
shell.run_cell({cell!r}, store_history=False).raise_error()
print(*sorted(evidence.key for evidence in shell.user_ns["said"].evidence))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.split() == ["a", "b"], done.stderr
