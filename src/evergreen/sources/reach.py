"""What some code reaches: the modules that it imports, and the statements that it uses."""

from __future__ import annotations

import functools
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from evergreen.errors import EvergreenError
from evergreen.sources import words
from evergreen.sources.hierarchy import Hierarchy
from evergreen.sources.modules import Module
from evergreen.sources.reduction import Options
from evergreen.sources.statements import Import, Statement

if TYPE_CHECKING:
    from evergreen.sources.codebase import Codebase

_OF_EVERY_MODULE = frozenset({"__doc__", "__file__", "__name__", "__package__", "__path__"})


class SourceError(EvergreenError):
    """Code that should count is not there."""


class Script(NamedTuple):
    """A piece of code that runs by itself, such as the cells of a lesson.

    Attributes
    ----------
    source : str
        Python; calls of IPython's magic commands as its ``TransformerManager`` writes them.
    filename : str
        Names the code in a SyntaxError.
    """

    source: str
    filename: str = "<script>"


class Loaded(NamedTuple):
    """A module that is imported; `path` is None for a script or a folder without ``__init__``."""

    name: str
    path: Path | None
    source: str | bytes
    code: Module

    @property
    def is_package(self) -> bool:
        """Whether its relative imports start from itself."""
        return self.path is None or self.path.name == "__init__.py"

    def absolute(self, meant: Import) -> str:
        """Return the full name of a module that is imported here."""
        if not meant.level:
            return meant.module
        above = self.name.split(".")[: None if self.is_package else -1]
        above = above[: max(0, len(above) + 1 - meant.level)]
        return ".".join([*above, meant.module]).strip(".")


# A build asks for the same code many times. What is remembered is remembered by the code's
# text, so a file that changes meanwhile is noticed.
@functools.lru_cache(maxsize=1000)
def _module(source: str | bytes, filename: str, options: Options) -> Module:
    return Module(source, filename, options)


class Reach:
    """What some code reaches.

    Attributes
    ----------
    modules : dict of str to Loaded
        All that is imported, by full name.
    counted : set of Statement
        Their statements that count.
    asked : set of str
        The modules that were looked for, whether they are here or not.
    """

    def __init__(self, codebase: Codebase, resolved: frozenset[str], options: Options) -> None:
        self.modules: dict[str, Loaded] = {}
        self.counted: set[Statement] = set()
        self._codebase = codebase
        self._resolved = resolved
        self._options = options
        self.asked: set[str] = set()
        self._importing: list[Loaded] = []
        self._waiting: list[tuple[Loaded, Statement]] = []
        self._looked_up: set[tuple[str, tuple[str, ...]]] = set()
        self._used: set[tuple[str, tuple[str, ...]]] = set()
        self._escaped: set[str] = set()
        for name in resolved:
            self._require(name.partition(":")[0])

    def add(self, root: str | Script) -> None:
        """Let a root and all that it uses count."""
        if isinstance(root, Script):
            code = _module(root.source, root.filename, self._options._replace(script=True))
            number = sum(name.startswith("<") for name in self.modules)
            script = Loaded(f"<script {number}>", None, root.source, code)
            self.modules[script.name] = script
            self._count_all(script)
            return
        name, _, definition = root.partition(":")
        module = self._require(name)
        if definition:
            if not self._look_up(module, (definition,)):
                raise SourceError(f"{name} defines no {definition!r} at its top level.")
            return
        self._count_all(module)
        for statement in module.code.statements:
            if statement.is_unused_import:  # so it is there for others
                self._use_imports(module, statement)

    def follow(self) -> None:
        """Go on until nothing more is reached."""
        while self._importing or self._waiting or self._count_noticed():
            while self._importing:
                self._execute(self._importing.pop())
            while self._waiting:
                self._follow(*self._waiting.pop())

    # What is executed

    def _require(self, name: str) -> Loaded:
        module = self._load(name)
        if module is None:
            places = ", ".join([*self._codebase.packages, *map(str, self._codebase.folders)])
            raise SourceError(f"There is no module {name!r} in {places or 'no package at all'}.")
        return module

    def _load(self, name: str) -> Loaded | None:
        """Import a module after its parents; return None where it is not of the codebase."""
        if name in self.asked:
            return self.modules.get(name)
        self.asked.add(name)
        parent = name.rpartition(".")[0]
        if parent and not self._load(parent):
            return None
        path = self._codebase.find(name)
        if path is None:
            return None
        if path.is_dir():
            module = Loaded(name, None, b"", _module(b"", "", self._options))
        else:
            source = path.read_bytes()
            module = Loaded(name, path, source, _module(source, str(path), self._options))
        self.modules[name] = module
        self._importing.append(module)
        if parent in self._escaped:
            self._use(name, ())
        return module

    def _import(self, module: Loaded, meant: Import) -> bool:
        """Import what an import statement names; tell whether it is known what that does."""
        name = module.absolute(meant)
        found = self._load(name)
        if found and found.is_package and meant.names:
            self._load(f"{name}.{meant.names[0]}")
        return found is not None or name.partition(".")[0] in sys.stdlib_module_names

    def _execute(self, module: Loaded) -> None:
        for statement in module.code.statements:
            known = [self._import(module, meant) for meant in statement.executes]
            # What is imported of another package, and not used, is imported for what that does.
            if statement.has_effect or (statement.is_unused_import and not all(known)):
                self._count(module, statement)

    # What counts

    def _count(self, module: Loaded, statement: Statement) -> None:
        if statement not in self.counted:
            self.counted.add(statement)
            self._waiting.append((module, statement))

    def _count_all(self, module: Loaded) -> None:
        for statement in module.code.statements:
            self._count(module, statement)

    def _count_noticed(self) -> bool:
        """Let classes count whose definition a base may notice; tell whether there were any."""
        hierarchy = self._hierarchy()
        before = len(self.counted)
        for module in self.modules.values():
            for statement in module.code.statements:
                if any(map(hierarchy.is_noticed, statement.classes)):
                    self._count(module, statement)
        return len(self.counted) > before

    def _follow(self, module: Loaded, statement: Statement) -> None:
        for meant in (*statement.executes, *statement.executes_later):
            self._import(module, meant)
        for names in statement.uses:
            self._look_up(module, names)
        for meant, attributes in statement.uses_imported:
            self._use(module.absolute(meant), (*meant.names, *attributes))
        if not statement.words.isdisjoint(words.OWN_NAMESPACE):
            self._escape(module)
            for meant in statement.executes_later:
                self._use(module.absolute(meant), meant.names)
        if not statement.words.isdisjoint(words.ANYTHING):
            for name in self._codebase.modules():
                self._use(name, ())

    def _look_up(self, module: Loaded, names: tuple[str, ...]) -> bool:
        """Let a name of a module count with its attributes; tell whether the module has it."""
        name, *attributes = names
        if (module.name, names) in self._looked_up or f"{module.name}:{name}" in self._resolved:
            return self._has(module, name)
        self._looked_up.add((module.name, names))
        submodule = f"{module.name}.{name}"
        is_hidden = False
        for statement in module.code.binding.get(name, []):
            self._count(module, statement)
            for meant in statement.imports.get(name, []):
                self._use(module.absolute(meant), (*meant.names, *attributes))
                # A name that comes from the submodule of that name takes its place.
                is_hidden |= statement.is_import and module.absolute(meant) == submodule
        for star in module.code.stars:
            source = self._load(module.absolute(star))
            if source and source.name not in self._resolved:
                self._look_up(source, names)
        if module.is_package and not is_hidden and self._load(submodule):
            self._use(submodule, tuple(attributes))
        return self._has(module, name)

    def _has(self, module: Loaded, name: str, asked: frozenset[str] = frozenset()) -> bool:
        if name in module.code.binding or (
            module.is_package and self._load(f"{module.name}.{name}")
        ):
            return True
        sources = [self._load(module.absolute(star)) for star in module.code.stars]
        return any(
            self._has(source, name, asked | {module.name})
            for source in sources
            if source and source.name not in asked
        )

    def _use(self, name: str, attributes: tuple[str, ...]) -> None:
        """Let an attribute of a module count, or all of them where none is named."""
        if (name, attributes) in self._used:
            return
        self._used.add((name, attributes))
        module = self._load(name)
        if module is None or name in self._resolved:
            return
        known = attributes and (
            self._look_up(module, attributes) or attributes[0] in _OF_EVERY_MODULE
        )
        if not known:
            self._escape(module)

    def _use_imports(self, module: Loaded, statement: Statement) -> None:
        for imports in (*statement.imports.values(), statement.stars):
            for meant in imports:
                self._use(module.absolute(meant), meant.names)

    def _escape(self, module: Loaded) -> None:
        """Let everything count that can be had of a module, also what it imports."""
        if module.name in self._escaped:
            return
        self._escaped.add(module.name)
        self._count_all(module)
        for statement in module.code.statements:
            self._use_imports(module, statement)
        for name in list(self.modules):
            if name.rpartition(".")[0] == module.name:
                self._use(name, ())

    # What it means

    def _hierarchy(self) -> Hierarchy:
        return Hierarchy(module.code for module in self.modules.values())

    def says(self, some: frozenset[str]) -> bool:
        """Tell whether code that counts says one of some words."""
        return not all(statement.words.isdisjoint(some) for statement in self.counted)

    def reads_exceptions(self) -> bool:
        """Tell whether code that counts may look at the text of an exception or a warning."""
        return self.says(words.TELLING) or any(part.reads_exceptions for part in self.counted)

    def survives_refusals(self) -> bool:
        """Tell whether something may go on after a refusal that does not count."""
        caught = {name for part in self.counted for name in part.catches}
        refused = {name for part in self.counted for name in part.refused}
        refused.update(name for module in self.modules.values() for name in module.code.refused)
        hierarchy = self._hierarchy()
        return any(hierarchy.may_be_caught(name, caught) for name in refused)
