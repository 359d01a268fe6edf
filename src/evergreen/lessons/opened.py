"""What a kernel has read besides what is known of a lesson beforehand, and what it is now."""

from __future__ import annotations

import contextlib
import hashlib
import json
import tokenize
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from evergreen.lessons import recorder
from evergreen.sources import Codebase, Script, SourceError

ABSENT = "absent"
"""In the place of a digest, for what is not there."""


class Opened(NamedTuple):
    """A file or a folder that a kernel has read, or a digest of code that it has asked for.

    Attributes
    ----------
    kind : str
        As in :class:`evergreen.lessons.recorder.Record`.
    root : str
        The package that it belongs to, or an empty text where that is the project.
    path : str
        Within the package or the project, with slashes. Of a digest, what it was asked for.
    """

    kind: str
    root: str
    path: str


class Roots:
    """The folders whose files count.

    Parameters
    ----------
    folders : mapping of str to Path
        The folder of each import package by its name, and the project's by an empty text.
    """

    def __init__(self, folders: Mapping[str, Path]) -> None:
        self.folders = {name: path.resolve() for name, path in folders.items()}
        self._digests: dict[tuple[str, int, int], str] = {}

    def opened(
        self, records: Iterable[recorder.Record], covered: frozenset[Path], *, texts: bool
    ) -> set[Opened]:
        """Return what counts of a kernel's records.

        Parameters
        ----------
        records : iterable of Record
        covered : frozenset of Path
            Modules whose import needs no record.
        texts : bool
            Whether the lines of code may be shown, as below an error.
        """
        records = list(records)
        written = {record.path for record in records if record.kind == recorder.WRITTEN}
        lines = recorder.FILE if texts else recorder.CODE
        return {
            self._opened(record)
            for record in (
                record._replace(kind=lines) if record.kind == recorder.SOURCE else record
                for record in records
                if record.path not in written
            )
            if record.kind != recorder.CODE or Path(record.path) not in covered
        }

    def now(self, item: Opened) -> str:
        """Return a digest of what a kernel would find now."""
        if item.kind == recorder.DIGEST:
            return self._digest_of(*json.loads(item.path))
        path = self._path((item.root, item.path))
        try:
            if path is None:
                return ABSENT
            if item.kind == recorder.FOLDER:
                names = {file.name for file in path.iterdir()} - {"__pycache__"}
                return json.dumps(sorted(name for name in names if not name.startswith(".")))
            if item.kind == recorder.CODE and path.suffix == ".py":
                # What is not Python cannot be imported; whatever it is, it counts.
                with contextlib.suppress(SyntaxError, UnicodeDecodeError):
                    return self._digest_of_module(path)
            return self._digest(path)
        except OSError:
            return ABSENT

    def _digest_of_module(self, path: Path) -> str:
        with tokenize.open(path) as file:  # in the encoding that it names
            code = Script(file.read(), str(path))
        packages = {name: folder for name, folder in self.folders.items() if name}
        return Codebase(packages, [path.parent]).digest_of([code])

    def _digest(self, path: Path) -> str:
        found = path.stat()
        state = str(path), found.st_mtime_ns, found.st_size
        if state not in self._digests:
            self._digests[state] = hashlib.sha256(path.read_bytes()).hexdigest()
        return self._digests[state]

    def _digest_of(
        self,
        packages: Mapping[str, tuple[str, str]],
        folders: Iterable[tuple[str, str]],
        roots: Iterable[Any],
        resolved: list[str],
        texts: bool,
        refusals: bool,
    ) -> str:
        found = {name: self._path(place) for name, place in packages.items()}
        there = {name: path for name, path in found.items() if path}
        if there.keys() != found.keys():
            return ABSENT
        try:
            return Codebase(there, filter(None, map(self._path, folders))).digest_of(
                [root if isinstance(root, str) else Script(*root) for root in roots],
                resolved=resolved,
                texts=texts,
                refusals=refusals,
            )
        except (OSError, SourceError, SyntaxError):
            return ABSENT

    def _opened(self, record: recorder.Record) -> Opened:
        if record.kind != recorder.DIGEST:
            return Opened(record.kind, *self._place(record.path))
        packages, folders, *others = json.loads(record.path)
        places = {name: self._place(path) for name, path in packages.items()}
        asked = [places, [self._place(path) for path in folders], *others]
        return Opened(record.kind, "", json.dumps(asked, sort_keys=True))

    def _place(self, name: str) -> tuple[str, str]:
        """Say where a path lies, in words that hold for another copy of the project too."""
        path = Path(name).resolve()
        for root, folder in self.folders.items():
            if path.is_relative_to(folder):
                return root, path.relative_to(folder).as_posix()
        return "", path.as_posix()

    def _path(self, place: tuple[str, str]) -> Path | None:
        root, path = place
        return self.folders[root] / path if root in self.folders else None
