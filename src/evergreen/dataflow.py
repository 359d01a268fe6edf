"""Which statements of a notebook gave the names their values that another statement uses.

Followed are names, statement by statement, in the order in which the cells ran, through
assignments, functions, and what a statement does to the objects that it names. What reaches
a statement in another way, by a second name of one object, is not seen.
"""

from __future__ import annotations

import ast
import dis
import sys
from collections.abc import Iterator, Sequence
from types import CodeType, FrameType
from typing import NamedTuple

from IPython import get_ipython
from IPython.core.interactiveshell import ExecutionInfo

_LOADS = {"LOAD_NAME", "LOAD_GLOBAL", "LOAD_FROM_DICT_OR_GLOBALS"}
_STORES = {"STORE_NAME", "STORE_GLOBAL", "DELETE_NAME", "DELETE_GLOBAL"}
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_PLAIN = (ast.Assign, ast.AnnAssign, ast.Import, ast.ImportFrom, *_DEFINITIONS)

_noticed: dict[str, bool] = {}


def _notice(cell: ExecutionInfo) -> None:
    _noticed["store_history"] = cell.store_history


if _shell := get_ipython():
    _shell.events.register("pre_run_cell", _notice)


class Place(NamedTuple):
    """Where a notebook is at work.

    Attributes
    ----------
    cell, line : int
        The cell's index in IPython's ``In``, and the line of its code.
    functions : frozenset of str
        The notebook's functions that are being called there.
    """

    cell: int
    line: int
    functions: frozenset[str]


class _Statement(NamedTuple):
    cell: int
    first: int
    last: int
    uses: frozenset[str]
    sets: frozenset[str]  # to a new value
    changes: frozenset[str]  # or maybe sets
    decorated: bool

    def holds(self, place: Place) -> bool:
        return self.cell == place.cell and self.first <= place.line <= self.last


def here() -> Place | None:
    """Return where the notebook of this process is at work, or None where there is none.

    A cell that its viewer runs without a history is none of the notebook's.
    """
    shell = get_ipython()
    frames = list(_frames(shell.user_ns)) if shell else []
    if not frames or frames[-1].f_code.co_name != "<module>":
        return None
    if not _noticed.get("store_history", True):
        return None
    called = {frame.f_code.co_qualname.partition(".")[0] for frame in frames}
    return Place(len(shell.user_ns["In"]) - 1, frames[-1].f_lineno, frozenset(called))


class Behind:
    """All that the statement at a place rests on.

    Parameters
    ----------
    place : Place
    cells : sequence of str
        The code of each, in the order in which they ran: IPython's ``In``.

    Raises
    ------
    LookupError
        If none of the cells has that place.
    """

    def __init__(self, place: Place, cells: Sequence[str]) -> None:
        *before, statement = _up_to(place, cells)
        self._statements = [statement]
        self._kept: set[str] = set()
        needed = set(statement.uses)
        for earlier in reversed(before):
            if needed & (earlier.sets | earlier.changes):
                self._statements.append(earlier)
                self._kept |= earlier.sets if earlier.decorated else set()
                needed = (needed - earlier.sets) | earlier.uses

    def __contains__(self, place: Place) -> bool:
        """Tell whether what was done at a place belongs to it.

        A function whose decorator may keep what it returned once may have done it elsewhere.
        """
        at = any(statement.holds(place) for statement in self._statements)
        return at or not self._kept.isdisjoint(place.functions)


def _frames(names: dict[str, object]) -> Iterator[FrameType]:
    """Return the frames that run a notebook's own code, the innermost first."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if frame.f_globals is names:
            yield frame
        frame = frame.f_back


def _up_to(place: Place, cells: Sequence[str]) -> list[_Statement]:
    """Return the statements that ran until one did, which is the last."""
    functions: dict[str, frozenset[str]] = {}
    modules: set[str] = set()
    found: list[_Statement] = []
    for cell, code in enumerate(cells[: place.cell + 1]):
        for node in _statements(code):
            within, later = _used(node)
            if isinstance(node, ast.Import | ast.ImportFrom):
                modules |= {(name.asname or name.name).partition(".")[0] for name in node.names}
            sets = _stored(node)
            plain = isinstance(node, _PLAIN)
            decorators = getattr(node, "decorator_list", [])
            statement = _Statement(
                cell,
                min(part.lineno for part in (node, *decorators)),
                node.end_lineno or node.lineno,
                _called(within if isinstance(node, _DEFINITIONS) else within | later, functions),
                sets if plain else frozenset(),
                _changed(node) - modules | (frozenset() if plain else sets),
                bool(decorators),
            )
            found.append(statement)
            if statement.holds(place):
                return found
            functions |= dict.fromkeys(sets, within | later if later else frozenset())
    raise LookupError(f"Cell {place.cell} has no line {place.line}.")


def _statements(code: str) -> list[ast.stmt]:
    try:
        return list(map(_without_magic, ast.parse(code).body))
    except SyntaxError:  # it never ran, or is a magic command's and no Python
        return []


def _without_magic(node: ast.stmt) -> ast.stmt:
    """Return a statement, or what stands in it of Python that a cell's magic command runs."""
    match node:
        case ast.Expr(
            value=ast.Call(
                func=ast.Attribute(attr="run_cell_magic"),
                args=[_, _, ast.Constant(value=str(code))],
            )
        ):
            whole = ast.If(ast.Constant(True), _statements(code) or [node], [])
            return ast.fix_missing_locations(ast.copy_location(whole, node))
    return node


def _called(names: frozenset[str], functions: dict[str, frozenset[str]]) -> frozenset[str]:
    """Add the names that functions use as soon as they are called."""
    known: set[str] = set()
    waiting = set(names)
    while waiting:
        known |= waiting
        waiting = set().union(*(functions.get(name, ()) for name in waiting)) - known
    return frozenset(known)


def _used(node: ast.stmt) -> tuple[frozenset[str], frozenset[str]]:
    """Return the notebook's names that a statement uses, and those that its functions use."""
    code = compile(ast.Module([node], []), "", "exec")
    inner = (part for part in code.co_consts if isinstance(part, CodeType))
    return _names(code, _LOADS), frozenset().union(*(_deep(part) for part in inner))


def _deep(code: CodeType) -> frozenset[str]:
    inner = (part for part in code.co_consts if isinstance(part, CodeType))
    return _names(code, _LOADS).union(*(_deep(part) for part in inner))


def _stored(node: ast.stmt) -> frozenset[str]:
    return _names(compile(ast.Module([node], []), "", "exec"), _STORES)


def _names(code: CodeType, operations: set[str]) -> frozenset[str]:
    found = (step.argval for step in dis.get_instructions(code) if step.opname in operations)
    return frozenset(found)


def _changed(node: ast.stmt) -> frozenset[str]:
    """Return the names whose objects a statement may change."""
    changed: list[ast.expr] = []
    for part in ast.walk(node):
        match part:
            case (
                ast.Attribute(ctx=ast.Store() | ast.Del())
                | ast.Subscript(ctx=ast.Store() | ast.Del())
            ):
                changed.append(part)
            case ast.Expr(value=ast.Call(func=function, args=arguments)):
                changed += (
                    [*arguments, function] if isinstance(function, ast.Attribute) else arguments
                )
    return frozenset(filter(None, map(_base, changed)))


def _base(expression: ast.expr) -> str | None:
    while isinstance(expression, ast.Attribute | ast.Subscript | ast.Starred):
        expression = expression.value
    return expression.id if isinstance(expression, ast.Name) else None
