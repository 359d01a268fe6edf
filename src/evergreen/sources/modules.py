"""The statements of a module."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from evergreen.sources.confinement import confined
from evergreen.sources.finder import note
from evergreen.sources.origins import Origins
from evergreen.sources.reduction import Options, reduce
from evergreen.sources.statements import Import, Statement
from evergreen.sources.text import parse


class Module:
    """What the statements of a module do.

    Parameters
    ----------
    source : str or bytes
    filename : str
        Names the code in a SyntaxError.
    options : Options

    Attributes
    ----------
    statements : list of Statement
        In their order, with one import for each name that is imported.
    binding : dict of str to list of Statement
        Those that bind a name.
    stars : list of Import
        The modules that it imports every name of.
    classes : dict of str to set of str
        Its classes with their bases, by the last of their names.
    noticing : set of str
        Those of the classes that may notice that a subclass is defined.
    makes : dict of str to set of str
        Its functions, and what they return, as in :class:`Statement`.
    refused : set of str
        Exceptions of refusals at its top level that do not count.
    """

    def __init__(self, source: str | bytes, filename: str, options: Options) -> None:
        self.statements: list[Statement] = []
        self.binding: dict[str, list[Statement]] = {}
        self.stars: list[Import] = []
        self.classes: dict[str, set[str]] = {}
        self.noticing: set[str] = set()
        self.makes: dict[str, set[str]] = {}
        self.refused: set[str] = set()
        tree = parse(source, filename)
        origins = Origins(tree)
        harmless = confined(tree, origins)
        for node in tree.body:
            parts, refused = reduce(node, origins, options)
            for part in _single(parts):
                self._add(Statement(part, refused=refused), origins, harmless)
            if not parts:
                self.refused |= refused

    def _add(self, statement: Statement, origins: Origins, harmless: set[ast.AST]) -> None:
        note(statement, origins, harmless)
        statement.has_effect = _has_effect(statement.node, origins)
        statement.is_unused_import = statement.is_import and not statement.binds & origins.read
        self.statements.append(statement)
        for name in statement.binds:
            self.binding.setdefault(name, []).append(statement)
        self.stars += statement.stars
        for name, bases in statement.classes.items():
            self.classes.setdefault(name, set()).update(bases)
        for name, classes in statement.makes.items():
            self.makes.setdefault(name, set()).update(classes)
        self.noticing |= statement.noticing


def _single(nodes: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (ast.Import(names=[alias]) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                yield ast.ImportFrom(module=node.module, names=[alias], level=node.level)
        else:
            yield node


def _has_effect(node: ast.stmt, origins: Origins) -> bool:
    """Tell whether a statement of a module or class may do more than bind names."""
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            return not all(map(origins.is_pure, node.decorator_list))
        case ast.ClassDef():
            return (
                bool(node.keywords)
                or not all(map(origins.is_pure, node.decorator_list))
                or any(isinstance(base, ast.Call) for base in node.bases)
                or any(_has_effect(part, origins) for part in node.body)
            )
        case ast.ImportFrom():
            return node.module == "__future__"
        case ast.Import() | ast.AnnAssign(value=None):
            return False
        case ast.Assign():
            return _does_more_than_bind(node.targets, node.value, origins)
        case ast.AnnAssign(value=ast.expr() as value):
            return _does_more_than_bind([node.target], value, origins)
        case ast.If() | ast.For() | ast.Try() | ast.TryStar() | ast.Match():
            parts = (part for part in ast.iter_child_nodes(node))
            blocks = [
                part.body for part in parts if isinstance(part, ast.ExceptHandler | ast.match_case)
            ]
            blocks += [getattr(node, name, []) for name in ("body", "orelse", "finalbody")]
            return any(_has_effect(part, origins) for block in blocks for part in block)
    return type(node).__name__ != "TypeAlias"  # of Python 3.12


def _does_more_than_bind(targets: Iterable[ast.expr], value: ast.expr, origins: Origins) -> bool:
    single = list(_single_targets(targets))
    names = {target.id for target in single if isinstance(target, ast.Name)}
    if len(names) < len(single):
        return True
    # A private name that nothing reads is bound for the sake of what is called.
    idle = all(name.startswith("_") and name not in origins.read for name in names)
    return idle and not origins.is_inert(value)


def _single_targets(targets: Iterable[ast.expr]) -> Iterator[ast.expr]:
    for target in targets:
        if isinstance(target, ast.Tuple | ast.List):
            yield from _single_targets(target.elts)
        else:
            yield target.value if isinstance(target, ast.Starred) else target
