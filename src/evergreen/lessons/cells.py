"""What of a lesson's cells decides what they show.

IPython's own syntax is turned into Python first, as a kernel does, so that no import is lost
in a cell with ``%%time`` and no cell with ``%%bash`` counts as broken Python.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable
from typing import NamedTuple

import nbformat
from IPython.core.displayhook import DisplayHook
from IPython.core.inputtransformer2 import TransformerManager

from evergreen import sources
from evergreen.lessons.reading import Document, Formats, LessonError, code_cells, option, tags

SKIP, MAY_FAIL = "skip-execution", "raises-exception"
"""Tags that change what executing a cell does."""

# Code with one of these may show a remark, or the number of a line, of its own cell.
_READ_CELLS = frozenset(
    {
        *("In", "_getframe", "_i", "_ih", "_ii", "_iii", "ast", "cProfile", "dis", "doctest"),
        *("help", "history", "inspect", "linecache", "logging", "macro", "pdb", "pinfo", "pinfo2"),
        *("profile", "prun", "psource", "pydoc", "recall", "rerun", "save", "tokenize"),
        *("traceback", "tracemalloc", "warnings"),
    }
)
_WORD = re.compile(r"\w+")
_END = re.compile(r"^((?:exit|quit)(?:\(\))?)[ \t;]*(?:#.*)?$", re.MULTILINE)
_ARGUMENT = re.compile(r"""[^\s'"`|&;<>()=,]+""")

# Magic commands that run no Python of a package.
_NO_PYTHON = frozenset(
    {
        *("HTML", "SVG", "alias", "cd", "conda", "config", "env", "file", "html", "javascript"),
        *("js", "latex", "load_ext", "ls", "markdown", "matplotlib", "pip", "precision", "pwd"),
        *("set_env", "svg", "writefile"),
    }
)
_SHELLS = frozenset(["!", "bash", "cmd", "perl", "ruby", "script", "sh", "sx", "system"])
_RUNS_PYTHON = frozenset(["capture", "prun", "time", "timeit"])
_PYTHON_IN_SHELL = re.compile(r"\b(i?python|jupyter)", re.IGNORECASE)
# For the digests of :mod:`evergreen.sources`, this may use anything.
_ANYTHING = ast.parse("get_ipython().run_cell_magic", mode="eval").body


class Code(NamedTuple):
    """What a lesson's outputs depend on, of all that stands in its file.

    Attributes
    ----------
    cells : tuple of str
        For each code cell a text that changes only if the cell may show something else. It is
        empty for one that is not executed.
    script : str
        The cells as one Python program, for what they import and use.
    may_fail : bool
        Whether the lesson may show an error.
    files : tuple of str
        Further files and folders that the cells read, relative to the lesson's folder. The
        front matter names them: ``evergreen: files: []``.
    mentioned : tuple of str
        Words of the commands that other programs run, some of which may name files.
    loads_code : bool
        Whether a cell's code stands in another file.
    shown : str
        A digest of the cells as they are shown.
    """

    cells: tuple[str, ...]
    script: str
    may_fail: bool
    files: tuple[str, ...]
    mentioned: tuple[str, ...]
    loads_code: bool
    shown: str


class _Cell(NamedTuple):
    source: str
    python: str
    tree: ast.Module | None
    may_fail: bool

    def essence(self, literal: bool) -> str:
        """Return what of the cell may change what is shown."""
        if literal or self.tree is None:
            return json.dumps([self.may_fail, self.source])
        # A semicolon at a cell's end hides its last value.
        hides = DisplayHook.semicolon_at_end_of_expression(self.python)
        return json.dumps([hides, ast.dump(self.tree)])


def code_of(
    document: Document, notebook: nbformat.NotebookNode, formats: Formats, packages: Iterable[str]
) -> Code:
    """Return what counts of a lesson's cells.

    Parameters
    ----------
    document : Document
    notebook : NotebookNode
        What :meth:`Formats.parse` has made of it.
    formats : Formats
    packages : iterable of str
        Import packages that a shell's commands may run.

    Raises
    ------
    LessonError
        If a cell is not Python; names the line.
    """
    always = option(notebook, "execution_allow_errors", formats.notebooks.execution_allow_errors)
    cells = [
        None if SKIP in tags(cell) else _cell(document, notebook, index, always)
        for index, cell in enumerate(notebook.cells)
        if cell.cell_type == "code"
    ]
    _refuse_ends(document, notebook)
    executed = [cell for cell in cells if cell]
    trees = [cell.tree for cell in executed if cell.tree]
    may_fail = any(cell.may_fail for cell in executed)
    literal = may_fail or any(map(_reads_cells, trees))
    # Before magic commands are replaced in the trees.
    essences = tuple(cell.essence(literal) if cell else "" for cell in cells)
    script, mentioned = _without_magic(trees, packages)
    return Code(
        essences,
        script,
        may_fail,
        _files(document, notebook),
        mentioned,
        any("load" in cell.metadata for cell in code_cells(notebook)),
        sources.digest(*(cell.source for cell in code_cells(notebook))),
    )


def _cell(document: Document, notebook: nbformat.NotebookNode, index: int, may_fail: bool) -> _Cell:
    source = notebook.cells[index].source
    python = _python(source)
    may_fail = may_fail or MAY_FAIL in tags(notebook.cells[index])
    try:
        return _Cell(source, python, ast.parse(python), may_fail)
    except SyntaxError as error:
        if may_fail:
            return _Cell(source, python, None, may_fail)
        # IPython drops the blank lines that a cell begins with.
        blank = len(source) - len(source.lstrip("\n"))
        place = document.place(notebook, index, blank + (error.lineno or 1))
        raise LessonError(f"{place} is not Python: {error.msg}.") from error


def _refuse_ends(document: Document, notebook: nbformat.NotebookNode) -> None:
    """Refuse cells that end their kernel, after which those below may run or not."""
    for index, cell in enumerate(notebook.cells):
        found = _END.search(cell.source) if cell.cell_type == "code" else None
        if found and SKIP not in tags(cell):
            line = cell.source.count("\n", 0, found.start()) + 1
            raise LessonError(
                f"{document.place(notebook, index, line)} ends its kernel with {found[1]}, and the "
                "cells below need it. Take it out, or give the cell the tag skip-execution."
            )


def _files(document: Document, notebook: nbformat.NotebookNode) -> tuple[str, ...]:
    settings = notebook.metadata.get("evergreen") or {}
    files = settings.get("files", []) if isinstance(settings, dict) else None
    if not isinstance(files, list) or not all(isinstance(name, str) for name in files):
        raise LessonError(
            f"{document.file} does not list its files as `evergreen: {{files: [a.csv, b.csv]}}` "
            "in its front matter."
        )
    return tuple(files)


def has_ipython_syntax(notebook: nbformat.NotebookNode) -> bool:
    """Tell whether a lesson has a cell that Python alone does not understand."""
    try:
        for cell in code_cells(notebook):
            ast.parse(cell.source)
    except SyntaxError:
        return True
    return False


def _python(source: str) -> str:
    """Return a cell as the kernel executes it."""
    return TransformerManager().transform_cell(source)


def _reads_cells(tree: ast.Module) -> bool:
    """Tell whether code may show its own source."""
    words: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.alias(name=name):
                words.update(name.split("."))
            case ast.ImportFrom(module=str(name)):
                words.update(name.split("."))
            # A magic command.
            case ast.Call(func=ast.Attribute(), args=[ast.Constant(value=str(name)), *_]):
                words.update(_WORD.findall(name))
    return not _READ_CELLS.isdisjoint(words)


def _without_magic(
    trees: Iterable[ast.Module], packages: Iterable[str]
) -> tuple[str, tuple[str, ...]]:
    """Write cells as one program, with Python in the place of magic commands that run it.

    A magic command that stays is one of which it is not known what it runs. The words of those
    that start other programs are returned besides.
    """
    replace = _Magic(packages)
    statements = [statement for tree in trees for statement in replace.visit(tree).body]
    program = ast.unparse(ast.Module([*statements, *replace.hoisted], []))
    return program, tuple(sorted(replace.mentioned))


class _Magic(ast.NodeTransformer):
    def __init__(self, packages: Iterable[str]) -> None:
        self._packages = frozenset(packages)
        self.hoisted: list[ast.stmt] = []
        self.mentioned: set[str] = set()

    def visit_Call(self, node: ast.Call) -> ast.AST:
        arguments = [str(part.value) for part in node.args if isinstance(part, ast.Constant)]
        match node.func:
            case ast.Attribute(attr="run_cell_magic" | "run_line_magic") if arguments:
                return self._replaced(node, arguments[0], arguments[1:])
            case ast.Attribute(attr="system" | "getoutput") if arguments:
                return self._replaced(node, "!", arguments)
        return self.generic_visit(node)

    def _replaced(self, node: ast.Call, name: str, code: list[str]) -> ast.AST:
        nothing = ast.Constant(None)
        if name in _NO_PYTHON:
            return nothing
        if name not in _RUNS_PYTHON:
            self.mentioned.update(_ARGUMENT.findall(" ".join(code)))
        if name in _SHELLS:
            return _ANYTHING if self._runs_python(" ".join(code)) else nothing
        try:
            # The body of a cell, or else what follows in the line.
            body = ast.parse(_python(next((text for text in reversed(code) if text.strip()), "")))
        except SyntaxError:
            return node
        self.hoisted += self.visit(body).body
        return nothing if name in _RUNS_PYTHON else node

    def _runs_python(self, command: str) -> bool:
        words = _WORD.findall(command)
        return bool(_PYTHON_IN_SHELL.search(command)) or not self._packages.isdisjoint(words)
