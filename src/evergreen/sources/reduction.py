"""The part of some code that can change a result.

Comments, docstrings, layout and the annotations of functions never can. The texts of exceptions
and code that only refuses can be left out too.
"""

from __future__ import annotations

import ast
import keyword
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from evergreen.sources.origins import Origins, binds
from evergreen.sources.text import chain, parse

PROTOCOL = frozenset(
    {
        *("AttributeError", "GeneratorExit", "IndexError", "KeyError", "KeyboardInterrupt"),
        *("LookupError", "StopAsyncIteration", "StopIteration", "SystemExit"),
    }
)
"""Exceptions by which Python itself takes decisions, so that raising one refuses nothing."""

_LOGGING = frozenset(
    {"critical", "debug", "error", "exception", "fatal", "info", "log", "warn", "warning"}
)
_TEXT = ast.Constant(...)  # stands where a text stood


class Options(NamedTuple):
    """What of a module counts.

    Attributes
    ----------
    texts : bool
        Whether the texts of exceptions, warnings and log records do.
    refusals : bool
        Whether ``assert`` does, and an ``if`` that only raises. A condition that may do more
        than look always does.
    script : bool
        Whether the code runs as ``__main__``.
    """

    texts: bool
    refusals: bool
    script: bool = False


def reduce(
    statement: ast.stmt, origins: Origins, options: Options
) -> tuple[list[ast.stmt], set[str]]:
    """Return what is left of a top-level statement if nothing stays that does not count.

    Returns
    -------
    list of ast.stmt
        Mostly one. The given tree is changed.
    set of str
        The exceptions whose refusals were left out, by the last of their names.
    """
    reducer = _Reducer(origins, options)
    return list(reducer.statements([statement])), reducer.refused


class _Reducer(ast.NodeTransformer):
    def __init__(self, origins: Origins, options: Options) -> None:
        self.refused: set[str] = set()
        self._origins = origins
        self._options = options
        # Annotations are never evaluated then.
        self._lazy = origins.imported.get("annotations") == "__future__.annotations"
        self._around: list[ast.AST] = []  # functions and classes around a node

    def statements(self, body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
        for statement in body:
            left = self.visit(statement)
            yield from left if isinstance(left, list) else [left] if left else []

    def _visit_within(self, node: ast.AST) -> ast.AST:
        self._around.append(node)
        self.generic_visit(node)
        self._around.pop()
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        return self._visit_within(node)

    # Annotations

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return self.visit_FunctionDef(node)

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.AST:
        annotated = [part for part in ast.walk(node.args) if isinstance(part, ast.arg)]
        annotations = [part.annotation for part in annotated] + [node.returns]
        # A decorator may read them, and that of a class its methods'. What counts of them is kept
        # where it is written, see `evergreen.sources.text.write`.
        decorators = list(node.decorator_list)
        if self._around and isinstance(self._around[-1], ast.ClassDef):
            decorators += self._around[-1].decorator_list
        if not all(map(self._origins.is_pure, decorators)):
            node.decorator_list += filter(None, annotations)
        elif not self._lazy:
            node.decorator_list += [
                part for part in annotations if part and not self._origins.is_inert(part)
            ]
        if self._lazy:
            node.returns = None
            for part in annotated:
                part.annotation = None
        return self._visit_within(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | None:
        self.generic_visit(node)
        if self._around and isinstance(self._around[-1], ast.ClassDef):
            return node
        if node.value and (self._around or self._lazy):
            return ast.Assign(targets=[node.target], value=node.value)
        if self._around:  # says that a name is the function's own
            node.annotation = _TEXT
        return node if self._around or not self._lazy else None

    # What is never executed, or computes nothing

    def visit_Pass(self, _node: ast.Pass) -> None:
        return None

    def visit_Expr(self, node: ast.Expr) -> ast.AST | list[ast.stmt] | None:
        if isinstance(node.value, ast.Constant):
            return None
        if code := _magic(node.value):
            return list(self.statements(code))
        return self.generic_visit(node)

    def visit_If(self, node: ast.If) -> ast.AST | list[ast.stmt] | None:
        if self._origins.of(node.test) == "typing.TYPE_CHECKING" or (
            not self._options.script and _asks_for_main(node.test)
        ):
            return list(self.statements(node.orelse))
        self.generic_visit(node)
        refused = "" if node.orelse or self._options.refusals else self._refused(node.body)
        if not refused:
            return node
        self.refused.add(refused)
        return self._condition(node.test)

    # Refusals

    def visit_Assert(self, node: ast.Assert) -> ast.AST | None:
        self.generic_visit(node)
        if self._options.refusals:
            node.msg = self._without_text(node.msg)
            return node
        self.refused.add("AssertionError")
        return self._condition(node.test)

    def _condition(self, test: ast.expr) -> ast.Expr | None:
        return None if self._origins.is_inert(test) else ast.Expr(test)

    def _refused(self, body: list[ast.stmt]) -> str:
        """Return the name of the exception that a block does nothing but raise, or ""."""
        *before, last = body or [ast.Pass()]
        if not isinstance(last, ast.Raise) or not last.exc or binds(last):
            return ""
        call = last.exc if isinstance(last.exc, ast.Call) else None
        name = self._origins.last_name(call.func if call else last.exc)
        if name in PROTOCOL or not (call or is_class(name)):
            return ""
        prepares = all(
            isinstance(part, ast.Assign)
            and all(isinstance(target, ast.Name) for target in part.targets)
            and self._origins.is_inert(part.value)
            for part in before
        )
        return name if prepares else ""

    # Texts

    def _without_text(self, value: ast.expr | None) -> ast.expr | None:
        return _TEXT if value and not self._options.texts and _is_text(value) else value

    def visit_Raise(self, node: ast.Raise) -> ast.AST:
        self.generic_visit(node)
        call = node.exc
        if isinstance(call, ast.Call) and not self._options.texts:
            name = self._origins.last_name(call.func)
            if is_class(name) and name not in ("StopIteration", "StopAsyncIteration"):
                call.args = [_TEXT if _is_text(value) else value for value in call.args]
                for keyword in call.keywords:
                    keyword.value = _TEXT if _is_text(keyword.value) else keyword.value
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        # What follows is executed, so nothing goes that may change more than the text.
        if self._options.texts or not all(map(self._origins.is_inert, node.args)):
            return node
        *base, name = ("", *chain(node.func))
        if (
            name in _LOGGING
            and base
            and base[-1].strip("_").lower() in ("log", "logger", "logging")
        ):
            node.args = [_TEXT]
        elif self._origins.of(node.func) == "warnings.warn":
            node.args[:1] = [_TEXT if _is_text(value) else value for value in node.args[:1]]
        return node


def is_class(name: str) -> bool:
    """Tell whether a name is written as classes are."""
    return re.match("_*[A-Z]", name) is not None


def _asks_for_main(test: ast.expr) -> bool:
    match test:
        case ast.Compare(ast.Name("__name__"), [ast.Eq()], [ast.Constant("__main__")]):
            return True
    return False


def _is_text(value: ast.expr) -> bool:
    """Tell whether an expression can only be a text, and binds nothing on the way."""
    match value:
        case ast.Constant(value=str()):
            return True
        case ast.JoinedStr():
            return not binds(value)
        case ast.BinOp(left=left, op=ast.Add() | ast.Mod() as operator, right=right):
            is_text = _is_text(left) or (isinstance(operator, ast.Add) and _is_text(right))
            return is_text and not binds(value)
        case ast.IfExp(body=body, orelse=orelse):
            return _is_text(body) and _is_text(orelse) and not binds(value)
        case ast.Call(func=ast.Attribute(value=template, attr="format" | "join")):
            return _is_text(template) and not binds(value)
    return False


def _magic(call: ast.expr) -> list[ast.stmt]:
    """Return the code in a call of one of IPython's magic commands, nothing for another call.

    What is no Python, such as a command's options, may use any name that it mentions.
    """
    match call:
        case ast.Call(func=ast.Attribute(attr="run_line_magic" | "run_cell_magic"), args=args):
            try:
                texts = [str(ast.literal_eval(value)) for value in args]
                code = [part for text in texts[1:] for part in _mentioned(text)]
            except (SyntaxError, ValueError):
                return []
            # A file's code is nobody's to tell from its name.
            runs = ["import_module"] if texts[0] == "run" else []
            return [*parse("\n".join([*texts[:1], *runs]), "<magic>").body, *code]
    return []


def _mentioned(text: str) -> list[ast.stmt]:
    try:
        return parse(text, "<magic>").body
    except SyntaxError:
        if "\n" in text or "import" in text:
            raise
        names = (name for name in re.findall(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*", text))
        known = [name for name in names if not any(map(keyword.iskeyword, name.split(".")))]
        return [*parse("\n".join(known), "<magic>").body, ast.Expr(ast.Tuple([ast.Constant(text)]))]
