"""The lessons of a book: which documents are executed, and what stands in their files."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import nbformat
from myst_nb.core.config import NbParserConfig
from myst_nb.core.read import create_nb_reader
from myst_parser.config.main import MdParserConfig
from nbformat.v4 import new_markdown_cell

from evergreen import sources
from evergreen.errors import EvergreenError
from evergreen.lessons import options

if TYPE_CHECKING:
    from sphinx.application import Sphinx

# Names of kernels that are Python's for certain.
_PYTHON = ("python", "python3", "ipython", "ipython3")


class LessonError(EvergreenError):
    """A lesson cannot be shown; the message names the lesson, the place and what is wrong."""


@dataclasses.dataclass(frozen=True)
class Formats:
    """What MyST-NB makes notebooks of.

    Attributes
    ----------
    markdown : MdParserConfig
    notebooks : NbParserConfig
    aside : tuple of tuple
        Tags of cells that are left out, each with the sentence to show there.
    """

    markdown: MdParserConfig
    notebooks: NbParserConfig
    aside: tuple[tuple[str, str], ...] = ()

    @property
    def digest(self) -> str:
        """A digest of the settings, the same in every process."""
        return sources.digest(
            json.dumps(dataclasses.asdict(self), sort_keys=True, default=_in_order)
        )

    def parse(self, document: Document) -> nbformat.NotebookNode | None:
        """Return a document as a notebook without outputs, or None where it is none.

        Raises
        ------
        LessonError
            If it means to be one, and is not.
        """
        path, text = str(document.path), document.text
        # Only blocks are read here, and mdit-py-plugins' task lists want lines.
        blocks = dataclasses.replace(
            self.markdown, enable_extensions={*self.markdown.enable_extensions} - {"tasklist"}
        )
        reader = create_nb_reader(path, blocks, self.notebooks, text)
        if reader is None:
            return None
        try:
            notebook = reader.read(text)
        except Exception as error:  # of YAML, JSON, nbformat or MyST-NB
            reason = " ".join(str(error).split()) or type(error).__name__
            if "['tags']" in reason:
                reason = f"the tags {error.instance!r} are no list. Write [{error.instance}]."  # type: ignore[attr-defined]
            raise LessonError(f"{document.file} cannot be read as a notebook: {reason}") from error
        # YAML knows dates, and a notebook does not.
        for owner in (notebook, *notebook.cells):
            plain = json.loads(json.dumps(owner.metadata, default=str))
            owner.metadata = nbformat.from_dict(plain)
        kernel = notebook.metadata.setdefault("kernelspec", nbformat.from_dict({"name": "python3"}))
        kernel.setdefault("display_name", "Python 3")
        language = kernel.setdefault("language", "python" if kernel.get("name") in _PYTHON else "")
        if language.lower() != "python":
            raise LessonError(
                f"{document.file} asks for the kernel {kernel.get('name')!r}, and only Python is "
                "executed. If it is one of Python, say so (kernelspec: language: python)."
            )
        _check_options(document, notebook)
        self._set_aside(notebook)
        for cell in code_cells(notebook):
            cell.outputs, cell.execution_count = [], None
        for cell in notebook.cells:  # as JupyterLab calls it, and as MyST-NB does
            if cell.metadata.get("raw_mimetype") in ("text/html", "text/markdown"):
                cell.metadata.setdefault("format", cell.metadata.raw_mimetype)
        return notebook

    def _set_aside(self, notebook: nbformat.NotebookNode) -> None:
        """Put a sentence in the place of cells, or of several that follow each other."""
        before = ""
        for index, cell in enumerate(notebook.cells):
            why = next((why for tag, why in self.aside if tag in tags(cell)), "")
            if why:
                text = "" if why == before else f"```{{note}}\n{why}\n```"
                notebook.cells[index] = new_markdown_cell(text, id=cell.get("id", f"aside-{index}"))
            before = why

    def time_limit(self, document: Document, notebook: nbformat.NotebookNode) -> int | None:
        """Return how many seconds a lesson's cells may take, or None for any time.

        Raises
        ------
        LessonError
            If it sets none that can be.
        """
        limit = option(notebook, "execution_timeout", self.notebooks.execution_timeout)
        if not isinstance(limit, int) or limit == 0 or limit < -1:
            raise LessonError(
                f"{document.file} sets {limit!r} as its time limit (mystnb: execution_timeout:), "
                "which is a number of seconds, or -1 for none."
            )
        return None if limit == -1 else limit

    def removes_stderr(self, notebook: nbformat.NotebookNode, cell: nbformat.NotebookNode) -> bool:
        """Tell whether what a cell writes to stderr is left out, in any way of MyST-NB's."""
        for_all = option(notebook, "output_stderr", self.notebooks.output_stderr)
        how = option(cell, "output_stderr", for_all)
        return "remove-stderr" in tags(cell) or how in ("remove", "remove-warn")

    def reader(
        self, function: str, document: Document, **more: object
    ) -> tuple[str, dict[str, Any], bool]:
        """Name the function that reads a document, as MyST-NB's ``custom_formats`` do."""
        arguments = {"name": document.name, "path": str(document.path), "formats": self} | more
        of_suffix = self.notebooks.custom_formats.get(document.path.suffix)
        return function, arguments, bool(of_suffix and of_suffix[2])


def _in_order(value: object) -> object:
    """Return a value for JSON that is the same in every process, where a set's order is not."""
    return sorted(value, key=repr) if isinstance(value, set | frozenset) else repr(value)


@dataclasses.dataclass(frozen=True)
class Document:
    """A document of the book.

    Attributes
    ----------
    name : str
        As Sphinx calls it.
    path : pathlib.Path
        Its file, as Sphinx calls that.
    text : str
        Its contents, with the line ends of Unix.
    """

    name: str
    path: Path
    text: str

    @property
    def file(self) -> str:
        """How messages call it."""
        return f"{self.name}{self.path.suffix}"

    @property
    def folder(self) -> Path:
        """The folder that its cells are executed in."""
        return self.path.resolve().parent

    def place(self, notebook: nbformat.NotebookNode, index: int, line: int = 1) -> str:
        """Say where in the file a line of a code cell stands, for a message.

        Parameters
        ----------
        notebook : NotebookNode
            What :meth:`Formats.parse` has made of the document.
        index : int
            The cell's index in it.
        line : int
            The line in the cell, from 1.
        """
        number = sum(cell.cell_type == "code" for cell in notebook.cells[: index + 1])
        first = self._first_line(notebook, index)
        where = f"line {line} of the cell" if first is None else f"line {first + line - 1}"
        return f"{self.file}, code cell {number} ({where})"

    def _first_line(self, notebook: nbformat.NotebookNode, index: int) -> int | None:
        """Return the line that a cell's code begins in, behind its options."""
        if "source_map" not in notebook.metadata:
            return None
        lines = [line.strip() for line in self.text.splitlines()]
        code = [line.strip() for line in notebook.cells[index].source.splitlines()]
        for first in range(notebook.metadata.source_map[index], len(lines)):
            if lines[first : first + len(code)] == code:
                return first + 1
        return None  # its code stands in another file


def documents(app: Sphinx) -> Iterator[Document]:
    """Return the documents of a book that can be lessons, in the order of the contents.

    Raises
    ------
    LessonError
        If one cannot be read.
    """
    # Sphinx itself looks for them only after the events that lessons are prepared in.
    app.env.find_files(app.config, app.builder)
    contents = list(app.config.external_site_map)

    def place(name: str) -> tuple[int, str]:
        called = {name, str(Path(app.env.doc2path(name, base=False)))}  # as in _toc.yml, or so
        return next((i for i, item in enumerate(contents) if item in called), len(contents)), name

    for name in sorted(app.env.found_docs, key=place):
        path = Path(app.env.doc2path(name))
        if path.suffix != ".rst":
            yield Document(name, path, _text(name, path))


def code_cells(notebook: nbformat.NotebookNode) -> Iterator[nbformat.NotebookNode]:
    """Return a notebook's code cells."""
    return (cell for cell in notebook.cells if cell.cell_type == "code")


def embed_attachments(notebook: nbformat.NotebookNode) -> None:
    """Put the pictures that a notebook keeps beside its text into it, for MyST-NB knows none."""
    for cell in notebook.cells:
        for name, bundle in cell.pop("attachments", {}).items():
            kind, content = next(iter(bundle.items()))
            for written in {name, quote(name)}:
                address = f"data:{kind};base64,{''.join(content.split())}"
                cell.source = cell.source.replace(f"attachment:{written}", address)


def _check_options(document: Document, notebook: nbformat.NotebookNode) -> None:
    """Refuse options of MyST-NB of another form than it takes for granted, or that it passes over.

    Raises
    ------
    LessonError
        Names the lesson or the cell.
    """
    of_lesson = notebook.metadata.get("mystnb") or {}
    if not isinstance(of_lesson, dict):
        raise LessonError(
            f"{document.file} has {of_lesson!r} as its `mystnb:`, which takes options, such as "
            "`mystnb: {execution_timeout: 60}`."
        )
    for index, what in options.wrong(notebook, document.text):
        raise LessonError(f"{document.place(notebook, index)} {what}")


def tags(cell: nbformat.NotebookNode) -> list[str]:
    """Return a cell's tags."""
    return list(cell.metadata.get("tags") or [])


def option(owner: nbformat.NotebookNode, name: str, default: Any) -> Any:
    """Return an option of MyST-NB from the metadata of a notebook or a cell."""
    return (owner.metadata.get("mystnb") or {}).get(name, default)


def _text(name: str, path: Path) -> str:
    raw = path.read_bytes()
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise LessonError(
            f"{name}{path.suffix}, line {line} is not in UTF-8 (byte {raw[error.start]:#04x}). "
            "Save the file in that encoding."
        ) from error
    return text.replace("\r\n", "\n").replace("\r", "\n")
