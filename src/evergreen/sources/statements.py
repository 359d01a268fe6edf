"""A statement of a module, and what it binds, imports, uses and catches."""

from __future__ import annotations

import ast
import dataclasses
import functools
from collections.abc import Iterator
from typing import NamedTuple

from evergreen.sources.digests import digest
from evergreen.sources.text import write

EVERY_EXCEPTION = "BaseException"


class Import(NamedTuple):
    """A module as an import statement names it, and what is meant of it.

    Attributes
    ----------
    level : int
        Number of leading dots.
    module : str
    names : tuple of str
        An attribute or submodule, none for the module itself.
    """

    level: int
    module: str
    names: tuple[str, ...] = ()


@dataclasses.dataclass(eq=False)
class Statement:
    """A top-level statement.

    Attributes
    ----------
    node : ast.stmt
        What of it can change a result.
    binds : set of str
        The module's names that it binds.
    imports : dict of str to list of Import
        What those of them stand for that it imports.
    stars : list of Import
        The modules that it imports every name of.
    executes, executes_later : list of Import
        What is imported when the module is, and when a function here is called.
    uses : set of tuple of str
        Names of the module that are read, each with the attributes read of it.
    uses_imported : set of (Import, tuple of str)
        The same for names that a function here imports for itself.
    words : set of str
        Every name that is read or imported, but for a function's own, and every attribute,
        with a dot.
    classes : dict of str to set of str
        The classes defined here with their bases, by the last of their names.
    noticing : set of str
        Those of the classes that may notice that a subclass is defined.
    makes : dict of str to set of str
        The functions defined here with the classes whose objects they return, and "" for
        anything else.
    catches : set of str
        Exceptions that may end here.
    refused : set of str
        Exceptions whose refusals do not count, or that are raised in the place of others.
    reads_exceptions : bool
        Whether it uses a caught exception otherwise than to raise.
    has_effect : bool
        Whether it may do more than bind names.
    is_unused_import : bool
        Whether it imports what its own module does not use.
    """

    node: ast.stmt
    binds: set[str] = dataclasses.field(default_factory=set)
    imports: dict[str, list[Import]] = dataclasses.field(default_factory=dict)
    stars: list[Import] = dataclasses.field(default_factory=list)
    executes: list[Import] = dataclasses.field(default_factory=list)
    executes_later: list[Import] = dataclasses.field(default_factory=list)
    uses: set[tuple[str, ...]] = dataclasses.field(default_factory=set)
    uses_imported: set[tuple[Import, tuple[str, ...]]] = dataclasses.field(default_factory=set)
    words: set[str] = dataclasses.field(default_factory=set)
    classes: dict[str, set[str]] = dataclasses.field(default_factory=dict)
    noticing: set[str] = dataclasses.field(default_factory=set)
    makes: dict[str, set[str]] = dataclasses.field(default_factory=dict)
    catches: set[str] = dataclasses.field(default_factory=set)
    refused: set[str] = dataclasses.field(default_factory=set)
    reads_exceptions: bool = False
    has_effect: bool = False
    is_unused_import: bool = False

    @property
    def is_import(self) -> bool:
        """Whether it does nothing but import."""
        return isinstance(self.node, ast.Import | ast.ImportFrom)

    @functools.cached_property
    def digest(self) -> str:
        """The SHA-256 of the statement's text."""
        return digest(write(self.node))


def imported(node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, Import, Import]]:
    """Return each name that is bound, what it stands for, and what is imported for it."""
    for alias in node.names:
        if isinstance(node, ast.ImportFrom):
            names = () if alias.name == "*" else (alias.name,)
            meant = Import(node.level, node.module or "", names)
            yield alias.asname or alias.name, meant, meant
        else:
            first, *others = alias.name.split(".")
            meant = Import(0, first, tuple(others) if alias.asname else ())
            yield alias.asname or first, meant, Import(0, alias.name)
