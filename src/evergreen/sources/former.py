"""Digests of single modules and functions, which do not follow imports.

To be deleted once no caller is left: :class:`evergreen.sources.Codebase` replaces them.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterable, Iterator
from pathlib import Path

from evergreen.sources.codebase import root_of
from evergreen.sources.digests import digest
from evergreen.sources.text import parse


def path_of(module: str) -> Path:
    """Return the source file of a module, by its full name.

    Raises
    ------
    ModuleNotFoundError
        If there is no such module.
    """
    package, *names = module.split(".")
    path = root_of(package).joinpath(*names)
    for candidate in (path.with_suffix(".py"), path / "__init__.py"):
        if candidate.is_file():
            return candidate
    raise ModuleNotFoundError(f"{package} has no module {module!r}.")


def imported(code: str, packages: Iterable[str]) -> set[str]:
    """Return the modules of some packages that some code imports, directly or through others.

    Parameters
    ----------
    code : str
        Python source, for example the cells of a lesson.
    packages : iterable of str
        Names of import packages.

    Returns
    -------
    set of str
        Full names, such as ``"bnlab.data"``.

    Raises
    ------
    SyntaxError
        If the code is not Python.
    """
    found: set[str] = set()
    packages = frozenset(packages)
    waiting = _named(code, packages)
    while waiting:
        module = waiting.pop()
        if module not in found:
            found.add(module)
            waiting |= _named(path_of(module).read_text("utf-8"), packages)
    return found


def _named(code: str, packages: frozenset[str]) -> set[str]:
    modules = set()
    for name in _candidates(code):
        if name.split(".")[0] not in packages:
            continue
        try:
            path_of(name)
        except ModuleNotFoundError:  # another package's, or a name inside a module
            continue
        modules.add(name)
    return modules


# A build asks for the same digests many times. What is remembered is remembered by the code's
# text, so a file that changes meanwhile is noticed.


@functools.cache
def _candidates(code: str) -> frozenset[str]:
    """Return every full name that may be an imported module's."""
    names: set[str] = set()
    for node in ast.walk(parse(code, "<unknown>")):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return frozenset(names)


def module_digest(module: str) -> str:
    """Return a digest of a module's code; comments, docstrings and layout do not count."""
    return _code_digest(path_of(module).read_text("utf-8"))


@functools.cache
def _code_digest(code: str) -> str:
    return digest(_canonical(parse(code, "<unknown>")))


def function_digest(module: str, function: str) -> str:
    """Return a digest of a function and of all that it uses from its own module.

    Another function of the module may change without changing this digest.

    Raises
    ------
    ValueError
        If the module does not define the function at its top level.
    """
    found = _function_digest(path_of(module).read_text("utf-8"), function)
    if found is None:
        raise ValueError(f"{module} defines no {function!r}.")
    return found


@functools.cache
def _function_digest(code: str, function: str) -> str | None:
    defined: dict[str, list[ast.stmt]] = {}
    for statement in _single(parse(code, "<unknown>").body):
        for name in _binds(statement):
            defined.setdefault(name, []).append(statement)
    if function not in defined:
        return None
    used: dict[str, list[ast.stmt]] = {}
    waiting = {function}
    while waiting:
        name = waiting.pop()
        used[name] = defined[name]
        mentioned = {
            node.id
            for statement in defined[name]
            for node in ast.walk(statement)
            if isinstance(node, ast.Name)
        }
        waiting |= (mentioned & defined.keys()) - used.keys()
    return digest(*(_canonical(statement) for name in sorted(used) for statement in used[name]))


def _single(statements: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """Return the statements, with one import for each name that they import."""
    for statement in statements:
        if isinstance(statement, ast.Import):
            yield from (ast.Import([alias]) for alias in statement.names)
        elif isinstance(statement, ast.ImportFrom):
            for alias in statement.names:
                yield ast.ImportFrom(statement.module, [alias], statement.level)
        else:
            yield statement


def _binds(node: ast.AST) -> set[str]:
    """Return the names that a top-level statement binds or may change."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {node.name}
    if isinstance(node, ast.Import | ast.ImportFrom):
        return {(alias.asname or alias.name).split(".")[0] for alias in node.names}
    if isinstance(node, ast.Expr) or isinstance(getattr(node, "ctx", None), ast.Store):
        return {name.id for name in ast.walk(node) if isinstance(name, ast.Name)}
    return set().union(*map(_binds, ast.iter_child_nodes(node)))


def _canonical(tree: ast.AST) -> str:
    return ast.unparse(_WithoutTexts().visit(tree))


class _WithoutTexts(ast.NodeTransformer):
    """Drops docstrings, also those below a module's or a class's names."""

    def visit_Expr(self, node: ast.Expr) -> ast.Expr | None:
        text = isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        return None if text else node
