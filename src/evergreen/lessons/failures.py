"""What is said when a lesson cannot be executed: where, and what to do."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable
from types import TracebackType

import nbclient.exceptions
import nbformat

from evergreen.claims import ClaimError, claim
from evergreen.lessons import recorder
from evergreen.lessons.reading import Document, Formats, LessonError, tags

_ANSI = re.compile(r"\x1b\[[0-9;]*m")
# Where IPython's traceback is in the cell itself.
_LINE = re.compile(r"^(?:Cell )?In *\[\d+\], line (\d+)|^Input In \[\d+\], in .*line: (\d+)", re.M)


class FalseClaimsError(Exception):
    """Claims of a lesson are false, which does not end other lessons.

    Parameters
    ----------
    claims : list of str
        Where each is, and what it says.
    """

    def __init__(self, claims: list[str]) -> None:
        self.claims = claims


def of_claims(false: list[str]) -> LessonError:
    """Return the error that tells of all false claims."""
    return LessonError(
        "\n".join(false)
        + "\n\nMake each, and the prose around it, say what the results show; or mend what it is "
        "computed from."
    )


class AtWork:
    """Turns whatever ends a notebook's execution into a message that names the cell.

    Parameters
    ----------
    document : Document
    notebook : NotebookNode
    seconds : int or None
        The time limit of each cell.
    """

    def __init__(
        self, document: Document, notebook: nbformat.NotebookNode, seconds: int | None
    ) -> None:
        self._document = document
        self._notebook = notebook
        self._seconds = seconds
        self._index: int | None = None

    def begin(self, *, cell_index: int, **_: object) -> None:
        """Note that a cell is being executed."""
        self._index = cell_index

    def __enter__(self) -> None:
        """Do nothing."""

    def __exit__(
        self, _type: object, error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        """Raise the message."""
        match error:
            case nbclient.exceptions.CellExecutionError():
                refuse_false_claims(self._document, self._notebook, then=self._failure)
                raise LessonError(self._failure()) from None
            case nbclient.exceptions.CellTimeoutError():
                raise LessonError(
                    f"{self._place()} took longer than its time limit of {self._seconds} s. It "
                    "is set in `_config.yml` (execute: timeout:), and for one lesson in its "
                    "front matter (mystnb: execution_timeout:)."
                ) from None
            case nbformat.ValidationError() if self._index is not None:
                what = " ".join(str(error.args[0]).split())
                raise LessonError(
                    f"{self._place()} shows what no notebook can hold: {what}. What is no text "
                    "needs a type that ends in +json."
                ) from None
            case Exception() if self._index is None:
                raise LessonError(
                    f"The kernel of {self._document.file} did not start: {error}."
                ) from error
            case nbclient.exceptions.DeadKernelError():
                raise LessonError(
                    f"{self._place()} ended its kernel, perhaps for want of memory."
                ) from None

    def _place(self, line: int = 1) -> str:
        assert self._index is not None
        return self._document.place(self._notebook, self._index, line)

    def _failure(self) -> str:
        assert self._index is not None
        cell = self._notebook.cells[self._index]
        error = _error(cell)
        assert error is not None
        if error.ename == "StdinNotImplementedError":
            return (
                f"{self._place()} asks for input, and nobody is there to type it. Set the value "
                "in the cell, or give the cell the tag skip-execution."
            )
        traceback = _traceback(error)
        return f"{self._place(_line(traceback))} failed:\n\n{traceback}"


def refuse_false_claims(
    document: Document, notebook: nbformat.NotebookNode, then: Callable[[], str] | None = None
) -> None:
    """Refuse an executed lesson in which claims are false.

    Parameters
    ----------
    document : Document
    notebook : NotebookNode
    then : callable, optional
        Says how a cell below them failed, perhaps for want of what a claim's cell had left to do.

    Raises
    ------
    FalseClaimsError
        If one is.
    """
    false = []
    for index, cell in enumerate(notebook.cells):
        error = _error(cell)
        if error is None or error.ename != ClaimError.__name__ or "raises-exception" in tags(cell):
            continue
        line = _line(_traceback(error))
        condition = _condition(cell.source, line)
        because = f" Its condition is {condition}." if condition else ""
        false.append(f"{document.place(notebook, index, line)}: {error.evalue}{because}")
    if false:
        raise FalseClaimsError([*false, then()] if then else false) from None


def _condition(source: str, line: int) -> str:
    """Return the condition of the claim in a line of a cell, if it can be told."""
    try:
        calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    except SyntaxError:  # a magic command
        return ""
    for call in calls:
        named = call.func.attr if isinstance(call.func, ast.Attribute) else ast.unparse(call.func)
        if named == claim.__name__ and call.lineno <= line <= (call.end_lineno or line):
            return f"`{ast.unparse(call.args[0])}`" if call.args else ""
    return ""


def _error(cell: nbformat.NotebookNode) -> nbformat.NotebookNode | None:
    """Return what a cell failed with."""
    errors = (part for part in cell.get("outputs", []) if part.output_type == "error")
    return next(errors, None)


def _traceback(error: nbformat.NotebookNode) -> str:
    return _ANSI.sub("", "\n".join(error.traceback))


def _line(traceback: str) -> int:
    """Return the line of the cell that a traceback begins in."""
    found = _LINE.search(traceback)
    return int(next(filter(None, found.groups()))) if found else 1


def refuse_stderr(document: Document, notebook: nbformat.NotebookNode, formats: Formats) -> None:
    """Refuse a lesson that writes to stderr, unless it says that this is to be removed.

    Raises
    ------
    LessonError
        If a cell does; names it.
    """
    for index, cell in enumerate(notebook.cells):
        for output in cell.get("outputs", []):
            if is_stderr(output) and not formats.removes_stderr(notebook, cell):
                raise LessonError(
                    f"{document.place(notebook, index)} wrote to stderr, which a reader should "
                    "never see; mend the cause, or give the cell the tag remove-stderr:\n\n"
                    f"{output.text.rstrip()}"
                )


def is_stderr(output: nbformat.NotebookNode) -> bool:
    """Tell whether a cell's output came on stderr."""
    return bool(output.output_type == "stream" and output.name == "stderr")


def refuse_changed(document: Document, records: Iterable[recorder.Record]) -> None:
    """Refuse a lesson that read what has changed since.

    Raises
    ------
    LessonError
        If a file did that the lesson itself did not write.
    """
    records = list(records)
    written = {record.path for record in records if record.kind == recorder.WRITTEN}
    for record in records:
        of_file = record.kind in (recorder.FILE, recorder.CODE, recorder.SOURCE)
        if not of_file or record.path in written:
            continue
        if recorder.state(record.path) != record.state:
            raise LessonError(
                f"{record.path} changed while {document.file} was executed, which read it. "
                "Build again."
            )
