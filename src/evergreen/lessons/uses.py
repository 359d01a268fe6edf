"""What code a lesson uses, found anew only if a file of it has changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from evergreen import sources
from evergreen.lessons.cells import Code
from evergreen.lessons.reading import Document, LessonError
from evergreen.sources import Codebase, Script


class Uses(NamedTuple):
    """The code that a lesson uses.

    Attributes
    ----------
    digest : str
        Of what of it can change what the lesson shows.
    modules : frozenset of Path
        The files that it lies in.
    state : str
        A digest of the lesson's code and of all that was read to find this out.
    """

    digest: str
    modules: frozenset[Path]
    state: str


class Finder:
    """Finds what lessons use.

    Parameters
    ----------
    packages : mapping of str to Path
        Import packages whose code counts, with their folders.
    remembered : mapping of str to Uses
        What an earlier build has found, by document name.

    Attributes
    ----------
    found : dict of str to Uses
        What this build has found.
    """

    def __init__(self, packages: Mapping[str, Path], remembered: Mapping[str, Uses]) -> None:
        self.packages = dict(packages)
        self.found = dict(remembered)
        rules = sorted(sources.root_of("evergreen").glob("sources/*.py"))
        self._rules = sources.digest(*(path.read_bytes() for path in rules))

    def of(self, document: Document, code: Code) -> Uses:
        """Return what a lesson uses.

        Raises
        ------
        LessonError
            If some of it is not Python.
        """
        known = self.found.get(document.name)
        if known and known.state == self._state(document, code, known.modules):
            return known
        codebase = Codebase(self.packages, [document.folder])
        script = Script(code.script, document.file)
        try:
            modules = frozenset(codebase.modules_of([script]))
            digest = codebase.digest_of([script], texts=code.may_fail, refusals=code.may_fail)
        except SyntaxError as error:
            raise LessonError(
                f"{document.file} uses {error.filename}, which is not Python: line "
                f"{error.lineno}: {error.msg}."
            ) from error
        found = Uses(digest, modules, self._state(document, code, modules))
        self.found[document.name] = found
        return found

    def _state(self, document: Document, code: Code, modules: Iterable[Path]) -> str:
        """Return a digest of what is to be read, and of what might be read in its place."""
        modules = sorted(modules)
        beside = sorted({document.folder, *(path.parent for path in modules)})
        names = (path for folder in beside if folder.is_dir() for path in folder.iterdir())
        others = (path for root in self.packages.values() for path in root.rglob("*.py"))
        return sources.digest(
            self._rules,
            code.script,
            str(code.may_fail),
            *(str(path) for path in sorted({*names, *others}) if path.name != "__pycache__"),
            *(path.read_bytes() if path.is_file() else b"" for path in modules),
        )
