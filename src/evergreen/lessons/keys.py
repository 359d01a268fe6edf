"""Under which key a lesson's outputs are stored: a digest of all that they depend on.

What is known beforehand makes the first key: the cells, the code that they use, what is
installed. What a kernel then opened is noted under that key, and the contents of those files
make the next key, under which either the outputs lie or what was opened besides. So every
state of the files, on every branch, finds its own outputs.
"""

from __future__ import annotations

import functools
import json
import os
import platform
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from evergreen import sources, store
from evergreen.lessons import cleanroom, recorder, warm
from evergreen.lessons.cells import Code
from evergreen.lessons.opened import Opened, Roots
from evergreen.lessons.reading import Document, LessonError
from evergreen.sources import Codebase, Found, Script

OUTPUTS = store.Store("lessons")
"""What lessons show."""

OPENED = store.Store("opened")
"""What their kernels opened."""


class Depends(NamedTuple):
    """What a lesson's outputs depend on.

    Attributes
    ----------
    first : str
        The key of what is known beforehand.
    opened : frozenset of Opened
        What kernels have opened besides, as far as it is known.
    key : str
        The key of both.
    modules : frozenset of Path
        The files of the modules that the first key covers.
    """

    first: str
    opened: frozenset[Opened]
    key: str
    modules: frozenset[Path]


class Lesson(NamedTuple):
    """A document whose cells are executed.

    Attributes
    ----------
    document : Document
    code : Code
        What of its cells decides what they show.
    depends : Depends
        On what its outputs depend, as far as it is known.
    """

    document: Document
    code: Code
    depends: Depends


class Project:
    """The folders of a book's code, and what counts for every lesson.

    Parameters
    ----------
    folder : pathlib.Path
        The book's project, with its settings, lessons and packages.
    packages : iterable of str
        Import packages whose code counts.
    environment : mapping of str to str or None
        Variables that the book sets for its kernels.
    without : iterable of Path
        Folders whose files do not count: what builds have made.
    distributions : iterable of str
        Distributions whose version does not count, because their code does.
    preloaded : iterable of str
        Installed modules that kernels may begin with.
    """

    def __init__(
        self,
        folder: Path,
        packages: Iterable[str],
        environment: Mapping[str, str | None],
        without: Iterable[Path] = (),
        distributions: Iterable[str] = (),
        preloaded: Iterable[str] = (),
    ) -> None:
        self.packages = sorted({*packages, "evergreen"})
        self.environment = dict(environment)
        self.without = [*without]
        self.preloaded = [*preloaded]
        self._own = {_normal(name) for name in (*distributions, *self.packages)}
        self._folders = {name: sources.root_of(name) for name in self.packages}
        self.roots = Roots(self._folders | {"": folder})
        self._now: dict[Opened, str] = {}

    def find(self, module: str) -> Path | None:
        """Return the file of one of the project's modules, or None where there is none."""
        path = Codebase(self.packages).find(module)
        return path and path.resolve()

    def depends(self, document: Document, code: Code) -> Depends:
        """Return what a lesson's outputs depend on.

        Raises
        ------
        LessonError
            If a file that the front matter names cannot be read, or code is not Python.
        """
        uses = self._uses(document, code)
        first = sources.digest(
            json.dumps([code.cells, self.environment, cleanroom.FIXED]),
            uses.digest,
            self._place(document.folder),
            *self._named(document, code.files),
            self._installed,
            self._engine,
        )
        key, opened = first, frozenset[Opened]()
        while entry := OPENED.find(key):
            more = [Opened(*item) for item in json.loads((entry / "opened.json").read_text())]
            key = self._next(key, more)
            opened |= {*more}
        return Depends(first, opened, key, frozenset(path.resolve() for path in uses.modules))

    def files_of(self, lesson: Lesson, key: str) -> list[str]:
        """Return what an executed lesson reads of the project besides packages, from its folder.

        That is the files that its front matter names, the modules beside it, and what its
        kernel has opened.

        Parameters
        ----------
        lesson : Lesson
            As it was before it was executed, if it was.
        key : str
            The key of its outputs.
        """
        folder = lesson.document.folder
        packages = [path for name, path in self.roots.folders.items() if name]
        depends = lesson.depends
        if key != depends.key:  # now it is known what the kernel opens
            depends = self.depends(lesson.document, lesson.code)
        paths = {
            *(file for name in lesson.code.files for file in _files(folder / name)),
            *(path for path in depends.modules if not any(map(path.is_relative_to, packages))),
            *(
                self.roots.folders[""] / item.path
                for item in depends.opened
                if item.kind in (recorder.FILE, recorder.CODE) and not item.root
            ),
        }
        return sorted(
            Path(os.path.relpath(path, folder)).as_posix() for path in paths if path.is_file()
        )

    def mentioned(self, lesson: Lesson) -> list[recorder.Record]:
        """Return the files that a lesson's commands name, as they are now.

        What another program than the kernel reads is not seen, so it counts if it is named.
        """
        folder, project = lesson.document.folder, self.roots.folders[""]
        without = [path.resolve() for path in self.without]
        found = {
            path.resolve()
            for word in lesson.code.mentioned
            if not word.startswith(("/", "~")) and set(word) - set("*?./")
            for path in _matching(folder, word)
        }
        return [
            recorder.Record(recorder.FILE, str(path), recorder.state(str(path)))
            for path in sorted(found)
            if path.is_relative_to(project) and not any(map(path.is_relative_to, without))
        ]

    def note(self, lesson: Lesson, records: Iterable[recorder.Record]) -> str:
        """Note what a lesson's kernel has opened, and return the key of the outputs."""
        self._now.clear()  # time has gone by since lessons were looked at
        before = lesson.depends
        opened = self.roots.opened(records, before.modules, texts=lesson.code.may_fail)
        if not (more := sorted(opened - before.opened)):
            return before.key

        def write(folder: Path) -> None:
            (folder / "opened.json").write_text(json.dumps(more, indent=1), "utf-8")

        OPENED.make(before.key, write)
        return self._next(before.key, more)

    def _next(self, key: str, opened: Iterable[Opened]) -> str:
        parts: list[str] = []
        for item in opened:
            now = self._now.get(item)  # many lessons ask for the same, in several threads
            if now is None:
                now = self._now[item] = self.roots.now(item)
            parts += [*item, now]
        return sources.digest(key, *parts)

    def _named(self, document: Document, files: Iterable[str]) -> Iterable[str | bytes]:
        for name in files:
            path = document.folder / name
            try:
                for file in _files(path):
                    yield from (file.relative_to(path.parent).as_posix(), file.read_bytes())
            except OSError as error:
                raise LessonError(
                    f"{document.file} names {name} in its front matter (evergreen: files:), "
                    f"which cannot be read: {error.strerror}."
                ) from error
        # Matplotlib looks whether it is there before it opens it.
        if (path := document.folder / "matplotlibrc").is_file():
            yield path.read_bytes()

    def _place(self, folder: Path) -> str:
        return Path(os.path.relpath(folder, self.roots.folders[""])).as_posix()

    def _uses(self, document: Document, code: Code) -> Found:
        codebase = Codebase(self._folders, [document.folder])
        script = Script(code.script, document.file)
        try:
            return codebase.uses_of([script], texts=code.may_fail, refusals=code.may_fail)
        except SyntaxError as error:
            raise LessonError(
                f"{document.file} uses {error.filename}, which is not Python: line "
                f"{error.lineno}: {error.msg}."
            ) from error

    @functools.cached_property
    def _engine(self) -> str:
        return engine()

    @functools.cached_property
    def _installed(self) -> str:
        others = (name for name in _distributions() if _normal(name.split("-")[0]) not in self._own)
        return json.dumps([platform.python_version(), sorted(others)])


def engine() -> str:
    """Return a digest of what of the engine itself can change what a lesson shows."""
    named = [f"evergreen.lessons.{it}" for it in ("kernel", "streams:merged", "execution:kept")]
    code = Codebase(["evergreen"]).uses_of(named, texts=False, refusals=False)
    # By its bytes: it imports modules by their names, so as code it would use all there are.
    return sources.digest(code.digest, Path(warm.__file__).read_bytes())


def _files(path: Path) -> list[Path]:
    """Return all files in a folder, or the file itself."""
    return (
        sorted(file for file in path.rglob("*") if not file.is_dir()) if path.is_dir() else [path]
    )


def _matching(folder: Path, word: str) -> list[Path]:
    try:
        return [path for path in folder.glob(word) if path.is_file()]
    except (ValueError, OSError):  # no pattern of a path
        return []


@functools.cache
def _distributions() -> frozenset[str]:
    # The folder of an installed distribution's metadata is named after it and its version.
    # Reading the metadata of them all would take half a second of every build.
    return frozenset(path.name for folder in sys.path for path in Path(folder).glob("*-info"))


def _normal(distribution: str) -> str:
    return re.sub(r"[-_.]+", "-", distribution).lower()
