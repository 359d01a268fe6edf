"""Whose the names inside a function, class or comprehension are."""

from __future__ import annotations

import ast
import dataclasses
from typing import Literal, TypeAlias

from evergreen.sources.statements import Import, imported

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef


@dataclasses.dataclass
class Scope:
    """The names that are not the module's inside a function, class or comprehension.

    Attributes
    ----------
    kind : str
    names : set of str
        Its own names.
    imports : dict of str to list of Import
        What those of them stand for that it imports.
    elsewhere : set of str
        The names that it declares global or nonlocal. All of them count as the module's.
    """

    kind: Literal["function", "class", "comprehension"]
    names: set[str] = dataclasses.field(default_factory=set)
    imports: dict[str, list[Import]] = dataclasses.field(default_factory=dict)
    elsewhere: set[str] = dataclasses.field(default_factory=set)


def parameters(arguments: ast.arguments) -> list[ast.arg]:
    """Return the parameters of a function, that of a method's own object first."""
    plain = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    return plain + [part for part in (arguments.vararg, arguments.kwarg) if part]


def function_scope(node: Function) -> Scope:
    """Return the names of a function, without those of functions and classes inside it."""
    scope = Scope("function", {part.arg for part in parameters(node.args)})
    waiting: list[ast.AST] = [*node.body]
    while waiting:
        part = waiting.pop()
        match part:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                scope.names.add(part.name)
                continue
            case ast.Lambda() | ast.ListComp() | ast.SetComp() | ast.DictComp():
                continue
            case ast.GeneratorExp():
                continue
            case ast.Import() | ast.ImportFrom():
                for name, meant, _ in imported(part):
                    scope.names.add(name)
                    scope.imports.setdefault(name, []).append(meant)
            case ast.Global() | ast.Nonlocal():
                scope.elsewhere.update(part.names)
            case ast.Name(ctx=ast.Store() | ast.Del()):
                scope.names.add(part.id)
            case ast.ExceptHandler(name=str(name)) | ast.MatchMapping(rest=str(name)):
                scope.names.add(name)
            case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                scope.names.add(name)
        waiting += ast.iter_child_nodes(part)
    for name in scope.elsewhere:
        scope.names.discard(name)
        scope.imports.pop(name, None)
    return scope
