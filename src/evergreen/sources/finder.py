"""Finds what a statement binds, imports, uses and catches."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import TypeAlias

from evergreen.sources.origins import Origins
from evergreen.sources.reduction import is_class
from evergreen.sources.scopes import Function, Scope, function_scope, parameters
from evergreen.sources.statements import EVERY_EXCEPTION, Import, Statement, imported
from evergreen.sources.text import chain

_Comprehension: TypeAlias = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


def note(statement: Statement, origins: Origins, harmless: set[ast.AST]) -> None:
    """Add to a statement what its code does.

    Where it is not plain whose a name is, it counts as the module's. Of the handlers of
    exceptions those that are known to be harmless are left out.
    """
    _Finder(statement, origins, harmless).visit(statement.node)


class _Finder(ast.NodeVisitor):
    def __init__(self, found: Statement, origins: Origins, harmless: set[ast.AST]) -> None:
        self._found = found
        self._origins = origins
        self._harmless = harmless
        self._scopes: list[Scope] = []

    def _visit_all(self, nodes: Iterable[ast.AST | None]) -> None:
        for node in nodes:
            if node:
                self.visit(node)

    def _visit_within(self, scope: Scope, nodes: Iterable[ast.AST | None]) -> None:
        self._scopes.append(scope)
        self._visit_all(nodes)
        self._scopes.pop()

    def _is_in(self, *kinds: str) -> bool:
        return any(scope.kind in kinds for scope in self._scopes)

    # Names

    def _bind(self, name: str | None) -> None:
        if name and not self._scopes:
            self._found.binds.add(name)

    def _read(self, name: str, *attributes: str) -> None:
        self._found.words.update(f".{attribute}" for attribute in attributes)
        for scope in reversed(self._scopes):
            for meant in scope.imports.get(name, []):
                self._found.uses_imported.add((meant, attributes))
            if name in scope.elsewhere:
                self._found.uses.add((name, *attributes))
            if name in scope.names:
                return
        self._found.words.add(name)
        self._found.uses.add((name, *attributes))

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load):
            self._read(node.id)
        else:
            self._bind(node.id)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if names := chain(node):
            self._read(*names)
        else:
            self._found.words.add(f".{node.attr}")
            self.visit(node.value)
        origin = self._origins.of(node)
        if origin.startswith("sys.modules"):
            self._found.words.add("sys.modules")
        elif origin.startswith("builtins."):
            self._found.words.add(origin.removeprefix("builtins."))

    def visit_Compare(self, node: ast.Compare) -> None:
        # Whether a module is loaded says nothing about its code.
        match node:
            case ast.Compare(ast.Constant(), [ast.In() | ast.NotIn()], [modules]):
                if self._origins.of(modules) == "sys.modules":
                    return
        self.generic_visit(node)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        match node.slice:
            case ast.Constant(value=str(module)):
                if self._origins.of(node.value) == "sys.modules":
                    self._found.uses_imported.add((Import(0, module), ()))
                    return
        self.generic_visit(node)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        if not self._is_in("function", "class"):
            self._found.binds.add(node.target.id)
        self.visit(node.value)

    def visit_MatchAs(self, node: ast.MatchAs) -> None:
        self._bind(node.name)
        self.generic_visit(node)

    def visit_MatchStar(self, node: ast.MatchStar) -> None:
        self._bind(node.name)

    def visit_MatchMapping(self, node: ast.MatchMapping) -> None:
        self._bind(node.rest)
        self.generic_visit(node)

    # Scopes

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self.visit_FunctionDef(node)

    def visit_FunctionDef(self, node: Function) -> None:
        self._bind(node.name)
        self._visit_all(node.decorator_list)
        self._visit_all(part.annotation for part in parameters(node.args))
        self._visit_all([node.returns, *node.args.defaults, *node.args.kw_defaults])
        self._note_results(node)
        if node.name in ("__exit__", "__aexit__"):
            self._note_exit(node)
        self._visit_within(function_scope(node), node.body)

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self._visit_all([*node.args.defaults, *node.args.kw_defaults])
        names = {part.arg for part in parameters(node.args)}
        self._visit_within(Scope("function", names), [node.body])

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._bind(node.name)
        bases = [base.value if isinstance(base, ast.Subscript) else base for base in node.bases]
        known = self._found.classes.setdefault(node.name, set())
        known.update(map(self._origins.last_name, bases))
        methods = {part.name for part in node.body if isinstance(part, Function)}
        if node.keywords or "__init_subclass__" in methods:
            self._found.noticing.add(node.name)
        self._visit_all([*node.decorator_list, *node.bases, *node.keywords])
        # A class's names hide nothing from its methods, nor a name that it reads before.
        self._visit_within(Scope("class"), node.body)

    def _visit_comprehension(self, node: _Comprehension) -> None:
        first, *others = node.generators
        self.visit(first.iter)
        names = {
            part.id
            for generator in node.generators
            for part in ast.walk(generator.target)
            if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)
        }
        results = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        within = [first.target, *first.ifs, *others, *results]
        self._visit_within(Scope("comprehension", names), within)

    def visit_ListComp(self, node: ast.ListComp) -> None:
        self._visit_comprehension(node)

    def visit_SetComp(self, node: ast.SetComp) -> None:
        self._visit_comprehension(node)

    def visit_DictComp(self, node: ast.DictComp) -> None:
        self._visit_comprehension(node)

    def visit_GeneratorExp(self, node: ast.GeneratorExp) -> None:
        self._visit_comprehension(node)

    # Imports

    def visit_Import(self, node: ast.Import) -> None:
        self._import(node)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        self._import(node)

    def _import(self, node: ast.Import | ast.ImportFrom) -> None:
        scope = self._scopes[-1] if self._scopes else None
        found = self._found
        for name, meant, executed in imported(node):
            (found.executes_later if self._is_in("function") else found.executes).append(executed)
            if name == "*":
                found.stars.append(meant)
            elif scope is None:
                found.binds.add(name)
                found.imports.setdefault(name, []).append(meant)
            elif scope.kind == "class" or name in scope.elsewhere:
                found.uses_imported.add((meant, ()))
            found.words.update({*executed.module.split("."), *meant.names} - {name})

    # Exceptions

    def visit_Try(self, node: ast.Try) -> None:
        self._note_finally(node)
        self.generic_visit(node)

    def visit_TryStar(self, node: ast.TryStar) -> None:
        self._note_finally(node)
        self.generic_visit(node)

    def _note_finally(self, node: ast.Try | ast.TryStar) -> None:
        if any(map(_leaves, node.finalbody)):
            self._found.catches.add(EVERY_EXCEPTION)

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        self._bind(node.name)
        ends = node.body and isinstance(node.body[-1], ast.Raise)
        if ends and not any(map(_leaves, node.body)):
            raised = [
                part.exc.func if isinstance(part.exc, ast.Call) else part.exc
                for statement in node.body
                for part in ast.walk(statement)
                if isinstance(part, ast.Raise) and part.exc
            ]
            self._found.refused.update(
                self._origins.last_name(part) for part in raised if chain(part) != (node.name,)
            )
        elif node not in self._harmless:
            self._found.catches.update(self._caught(node.type))
        if node.name and any(_reads(part, node.name) for part in node.body):
            self._found.reads_exceptions = True
        self.generic_visit(node)

    def _caught(self, kind: ast.expr | None) -> Iterator[str]:
        for part in kind.elts if isinstance(kind, ast.Tuple) else [kind]:
            yield self._origins.last_name(part) or EVERY_EXCEPTION

    def _note_results(self, node: Function) -> None:
        returned = [part.value for part in ast.walk(node) if isinstance(part, ast.Return)]
        calls = [part.func if isinstance(part, ast.Call) else None for part in returned]
        names = {self._origins.last_name(part) for part in calls} or {""}
        known = self._found.makes.setdefault(node.name, set())
        known.update(name if is_class(name) else "" for name in names)

    def _note_exit(self, node: Function) -> None:
        names = {part.arg for part in parameters(node.args)[1:]}
        for part in ast.walk(node):
            if isinstance(part, ast.Name) and part.id in names:
                self._found.reads_exceptions = True
            elif isinstance(part, ast.Return) and part.value:
                refuses = isinstance(part.value, ast.Constant) and not part.value.value
                self._found.catches.update([] if refuses else [EVERY_EXCEPTION])

    # Calls that do more than what they name

    def visit_Call(self, node: ast.Call) -> None:
        name = self._origins.last_name(node.func)
        keywords = {keyword.arg for keyword in node.keywords}
        match name, node.args:
            case "suppress", kinds if node not in self._harmless:
                self._found.catches.update(name for kind in kinds for name in self._caught(kind))
            case "catch_warnings", _:
                self._found.reads_exceptions |= "record" in keywords
            case "filterwarnings", [action, *others]:
                hides = isinstance(action, ast.Constant) and action.value != "error"
                if (others or "message" in keywords) and not hides:
                    self._found.reads_exceptions = True
            case "dir" | "locals" | "vars", []:
                if not self._is_in("function"):
                    self._found.words.add("globals")
            case "import_module", [ast.Constant(value=str(module))]:
                later = self._is_in("function")
                executed = self._found.executes_later if later else self._found.executes
                executed.append(Import(0, module))
                self._found.uses_imported.add((Import(0, module), ()))
                return
        self.generic_visit(node)


def _leaves(node: ast.AST) -> bool:
    """Tell whether a statement may leave its block otherwise than by raising."""
    return any(isinstance(part, ast.Return | ast.Break | ast.Continue) for part in ast.walk(node))


def _reads(node: ast.AST, name: str) -> bool:
    """Tell whether code reads more of an exception than its number, otherwise than to raise."""
    if isinstance(node, ast.Raise) or (isinstance(node, ast.Attribute) and node.attr == "errno"):
        return False
    if isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load):
        return True
    return any(_reads(part, name) for part in ast.iter_child_nodes(node))
