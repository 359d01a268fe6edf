"""The code that counts: where it lies, and the digests of its parts."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from evergreen.sources.digests import digest
from evergreen.sources.reach import Reach, Script, SourceError
from evergreen.sources.reduction import Options
from evergreen.sources.words import EXPLAINING

DIGESTING = "evergreen.digest_of"
"""Audit event: a :meth:`Codebase.uses_of`, with its packages, folders and arguments."""


class Found(NamedTuple):
    """What some code uses.

    Attributes
    ----------
    digest : str
        Of all of it.
    modules : tuple of Path
        The files of all modules that it uses or imports, sorted.
    asked : frozenset of str
        The modules that were looked for in folders, whether they are there or not.
    beside : str
        A digest of the codebase's folders: of all modules by name, of those by content.
    """

    digest: str
    modules: tuple[Path, ...]
    asked: frozenset[str]
    beside: str


# What earlier processes have found, and what this one was asked for, by a digest of the question
# and of all packages. To follow the code takes a hundred times as long as to read the files.
_recalled: dict[str, Found] = {}
_remembered: dict[str, Found] = {}


def recall(found: Mapping[str, Found]) -> None:
    """Take over what another process has :func:`remembered`."""
    _recalled.update(found)


def remembered() -> dict[str, Found]:
    """Return what this process was asked for, for others to :func:`recall`."""
    return dict(_remembered)


class Codebase:
    """The packages and folders whose code counts.

    Files are read anew each time, so a change is noticed; what was found of the same files is
    remembered. Threads may use one codebase at the same time.

    Parameters
    ----------
    packages : mapping of str to Path, or iterable of str
        Import packages, or single modules, with their folder or file. Without one, they are
        found as ``import`` would find them, and not imported.
    folders : iterable of Path
        Folders whose modules can be imported by their bare names, as those beside a lesson.

    Raises
    ------
    SourceError
        If a package is not there.
    """

    def __init__(
        self, packages: Mapping[str, Path] | Iterable[str], folders: Iterable[Path] = ()
    ) -> None:
        self.folders = tuple(folders)
        if not isinstance(packages, Mapping):
            packages = {name: root_of(name) for name in packages}
        self.packages = dict(packages)
        for name, path in self.packages.items():
            if not path.exists():
                raise SourceError(f"There is no package {name!r} at {path}.")

    def digest_of(
        self,
        roots: Iterable[str | Script],
        *,
        resolved: Iterable[str] = (),
        texts: bool = True,
        refusals: bool = True,
    ) -> str:
        """Return a digest of some code and of all that it uses.

        Of every module that is imported on the way, and of its parents, what importing it does
        counts too. Comments, docstrings, layout and the annotations of functions do not count,
        unless code that counts reads such things, as :func:`help` and :mod:`inspect` do: then
        every byte of those modules does.

        Parameters
        ----------
        roots : iterable of str or Script
            ``"package.module"``, ``"package.module:name"`` or a piece of code.
        resolved : iterable of str
            Modules, or single names of them written as in `roots`, which are not followed where
            other code uses them, because the caller says in `roots` what of them is used.
        texts : bool
            Whether the texts of exceptions, warnings and log records count. They do in any
            case where code that counts looks at an exception that it caught.
        refusals : bool
            Whether ``assert`` and an ``if`` that only raises count. They do in any case where
            code that counts goes on after such an exception.

        Raises
        ------
        SourceError
            If a root or a resolved module is not there.
        SyntaxError
            If code on the way is not Python; names the file and the line.
        """
        return self.uses_of(roots, resolved=resolved, texts=texts, refusals=refusals).digest

    def uses_of(
        self,
        roots: Iterable[str | Script],
        *,
        resolved: Iterable[str] = (),
        texts: bool = True,
        refusals: bool = True,
    ) -> Found:
        """Return what some code uses, with its digest.

        Parameters and errors are those of :meth:`digest_of`.
        """
        roots, resolved = list(roots), sorted(resolved)
        # Whoever records what a result depends on hears of it by an audit hook.
        packages = {name: str(path) for name, path in self.packages.items()}
        folders = [str(folder) for folder in self.folders]
        asked = (packages, folders, roots, resolved, texts, refusals)
        sys.audit(DIGESTING, *asked)
        state = self.state()
        question = digest(repr(asked), sys.version, _RULES, state)
        found = _remembered.get(question) or _recalled.get(question)
        if found is None or found.beside != self._beside(found.asked):
            reach = self._reach(roots, resolved, texts, refusals)
            found = self._found(reach)
            # Files may have been saved meanwhile.
            if state != self.state() or not self._is_as_read(reach):
                return found
        _remembered[question] = found
        return found

    def state(self) -> str:
        """Return a digest of all modules of the packages, used or not."""
        return digest(*(part for root in self.packages.values() for part in _contents(root)))

    def _beside(self, asked: Iterable[str]) -> str:
        """Return a digest of the modules in the folders: of all by name, of some by content."""
        paths = [path for it in self.folders if it.is_dir() for path in sorted(it.iterdir())]
        names = {path.name.partition(".")[0] for path in paths}
        parts: list[str | bytes] = [str(path) for path in paths if path.suffix == ".py"]
        for module in sorted(asked):
            if module.partition(".")[0] in names and (path := self.find(module)):
                parts += [module, str(path), _content(path) or b""]
        return digest(*parts)

    def _is_as_read(self, reach: Reach) -> bool:
        """Tell whether the files are still those that something was found from."""
        for name in reach.asked:
            if name.startswith("<"):  # a script
                continue
            path, module = self.find(name), reach.modules.get(name)
            if (path is None) != (module is None):
                return False
            if path and module and module.path and _content(path) != module.source:
                return False
        return True

    def _found(self, reach: Reach) -> Found:
        parts: list[str | bytes] = []
        for name, module in sorted(reach.modules.items()):
            counted = [part.digest for part in module.code.statements if part in reach.counted]
            if counted:
                parts += [name, *counted]
        if reach.says(EXPLAINING):
            parts += [module.source for _, module in sorted(reach.modules.items())]
        paths = sorted(module.path for module in reach.modules.values() if module.path)
        asked = frozenset(reach.asked if self.folders else ())
        return Found(digest(*parts), tuple(paths), asked, self._beside(asked))

    def _reach(
        self, roots: Iterable[str | Script], resolved: Iterable[str], texts: bool, refusals: bool
    ) -> Reach:
        options = Options(texts, refusals)
        while True:
            reach = Reach(self, frozenset(resolved), options)
            for root in roots:
                reach.add(root)
            reach.follow()
            needed = Options(
                options.texts or reach.reads_exceptions(),
                options.refusals or reach.survives_refusals(),
            )
            if needed == options:
                return reach
            options = needed

    def find(self, module: str) -> Path | None:
        """Return the file of a module by its full name, or None where there is none here.

        The file of a package is its ``__init__.py``, or its folder where there is no such file.
        """
        first, *others = module.split(".")
        roots = [folder / first for folder in self.folders]
        if first in self.packages:
            roots.append(self.packages[first].with_suffix(""))
        paths = [root.joinpath(*others) for root in roots]
        for path in paths:
            for file in (path / "__init__.py", path.with_name(f"{path.name}.py")):
                if file.is_file():
                    return file
        return next(filter(Path.is_dir, paths), None)

    def modules(self) -> Iterator[str]:
        """Return the full names of all modules."""
        for name, root in self.packages.items():
            yield name
            for path in sorted(root.rglob("*.py")):
                *above, last = path.relative_to(root).with_suffix("").parts
                yield ".".join([name, *above, *([last] if last != "__init__" else [])])
        for folder in self.folders:
            yield from (path.stem for path in sorted(folder.glob("*.py")))


def _contents(root: Path) -> Iterator[str | bytes]:
    """Yield what can be imported of a package, by name and content."""
    yield _content(root.with_suffix(".py")) or b""
    seen = set()
    for name, folders, files in os.walk(root.with_suffix(""), followlinks=True):
        yield os.fsencode(name)
        if os.path.islink(name):  # noqa: PTH114
            yield (real := os.fsencode(os.path.realpath(name)))
            if real in seen:  # and so it may be going round
                folders.clear()
                continue
            seen.add(real)
        folders[:] = sorted(set(folders) - {"__pycache__"})
        for file in sorted(files):
            if file.endswith(".py"):
                yield os.fsencode(file)
                yield _content(Path(name, file)) or b""


def _content(path: Path) -> bytes | None:
    """Return what is in a file; None if it cannot be read, and then using it fails too."""
    try:
        return path.read_bytes()
    except OSError:
        return None


# Of what says which code is used, as it is when it is loaded.
_RULES = digest(*(path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py"))))


def root_of(package: str) -> Path:
    """Return the folder of an installed import package, or a module's file; import neither.

    Raises
    ------
    SourceError
        If there is none of that name.
    """
    try:
        spec = importlib.util.find_spec(package) if package.isidentifier() else None
    except ValueError:  # a module without a specification, such as __main__
        spec = None
    if spec and spec.submodule_search_locations:
        return Path(next(iter(spec.submodule_search_locations)))
    if spec and spec.origin and spec.origin.endswith(".py"):
        return Path(spec.origin)
    raise SourceError(f"There is no package {package!r} written in Python here. Install it.")
