"""What a kernel reads of the project, as far as Python itself opens it.

Loaded in the kernel before all else, so it needs the standard library only.
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import FrameType
from typing import NamedTuple

VARIABLE = "EVERGREEN_RECORDER"
"""Environment variable: what :func:`start` is told. The kernel removes it."""

FILE, CODE, SOURCE, FOLDER = "file", "code", "source", "folder"
"""Kinds of what is recorded: read as it is; imported; read as the lines of code; listed."""

DIGEST, WRITTEN, SET = "digest", "written", "set"
"""Further kinds: digested as code; written; an environment variable that was set."""

_LOADING = "<frozen importlib"
_IMPORT = "<frozen importlib._bootstrap_external>"
_CACHE = f"{os.sep}__pycache__{os.sep}"
# Reads code to digest it, and says so. What it reads is no text for a lesson.
_DIGESTER = "evergreen.sources."
# They list the folders of sys.path in search of modules and of metadata.
_SEARCHING = ("importlib", "pkgutil", "pkg_resources", "zipimport")


class Record(NamedTuple):
    """Something that a kernel did with a file or a folder.

    Attributes
    ----------
    kind : str
        :data:`FILE`, :data:`CODE`, :data:`SOURCE`, :data:`FOLDER`, :data:`DIGEST`,
        :data:`WRITTEN` or :data:`SET`.
    path : str
        Absolute, without symbolic links. Of a digest, what it was asked for, in JSON; of a
        variable, its name.
    state : list of int or None
        Time of the last change and size as it was read, None where there is no such file.
    """

    kind: str
    path: str
    state: list[int] | None


def describe(log: Path, roots: Iterable[Path], without: Iterable[Path]) -> str:
    """Return what :func:`start` is to be told.

    Parameters
    ----------
    log : pathlib.Path
        The file to write the records to.
    roots : iterable of Path
        Folders, all below which is recorded.
    without : iterable of Path
        Folders within these, below which nothing is.
    """
    below = [[str(path.resolve()) for path in paths] for paths in (roots, without)]
    return json.dumps([str(log), *below])


def read(log: Path) -> list[Record]:
    """Return what was recorded in a file."""
    return [Record(*json.loads(line)) for line in log.read_text("utf-8").splitlines()]


def start(description: str) -> None:
    """Record, until this process ends, what it and its forks open."""
    log, roots, without = json.loads(description)
    file = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    sys.addaudithook(_Hook(file, roots, [*without, *_libraries()]))


def watch_environment() -> None:
    """Record, from now on, the environment variables that this process gives another value."""
    sys.audit("evergreen.watch_environment")


def state(path: str) -> list[int] | None:
    """Return the time of a file's last change and its size, or None where there is none."""
    try:
        found = os.stat(path)  # noqa: PTH116
    except OSError:
        return None
    return [found.st_mtime_ns, found.st_size]


def _libraries() -> Iterator[str]:
    """Return the folders of what is installed, whose versions the build knows."""
    paths = sysconfig.get_paths()
    yield from (os.path.realpath(paths[name]) for name in ("stdlib", "purelib", "platlib"))
    if sys.prefix != sys.base_prefix:  # an environment of its own, maybe below the project
        yield os.path.realpath(sys.prefix)


class _Hook:
    """An audit hook; see https://docs.python.org/3/library/audit_events.html."""

    def __init__(self, file: int, roots: Iterable[str], without: Iterable[str]) -> None:
        self._file = file
        # The innermost folder decides: a package may lie among what is installed.
        self._libraries = tuple(f"{path}{os.sep}" for path in _libraries())
        below = [(path, True) for path in roots] + [(path, False) for path in without]
        self._below = sorted(below, key=lambda item: len(item[0]), reverse=True)
        self._seen: set[tuple[str, str]] = set()
        self._written: set[tuple[str, str]] = set()
        self._watches = False

    def __call__(self, event: str, arguments: tuple[object, ...]) -> None:
        match event:
            case "open":
                self._note_opened(arguments[0], arguments[2], sys._getframe(1))
            case "os.listdir" | "os.scandir":
                self._note_listed(arguments[0], sys._getframe(1))
            case "os.rename":
                self._note(WRITTEN, arguments[1])
            case "import":  # of a module that is not written in Python
                self._note(FILE, arguments[1])
            case "evergreen.digest_of":
                self._write(Record(DIGEST, json.dumps(arguments), None))
            case "evergreen.watch_environment":
                self._watches = True
            case "os.putenv" | "os.unsetenv" if self._watches:
                name, *value = (os.fsdecode(part) for part in arguments)  # type: ignore[arg-type]
                before = [os.environ[name]] if name in os.environ else []
                if value != before and not self._is_loading(sys._getframe(1)):
                    self._write(Record(SET, name, None))
            case "sqlite3.connect" if arguments[0] != ":memory:":
                self._note(FILE, arguments[0])

    def _note_opened(self, path: object, flags: object, caller: FrameType) -> None:
        flags = flags if isinstance(flags, int) else 0
        if flags & (os.O_WRONLY | os.O_RDWR):
            self._note(WRITTEN, path)
        if not flags & (os.O_WRONLY | os.O_TRUNC | os.O_EXCL):
            above = caller.f_back
            if caller.f_code.co_filename == _IMPORT:
                self._note(CODE, path)
            elif above and above.f_globals.get("__name__") == "linecache":
                self._note(SOURCE, path)
            else:
                self._note(FILE, path)

    def _note_listed(self, path: object, caller: FrameType) -> None:
        module = str(caller.f_globals.get("__name__", ""))
        if not module.startswith(_SEARCHING):
            self._note(FOLDER, "." if path is None else path)

    def _note(self, kind: str, opened: object) -> None:
        if not isinstance(opened, str | bytes | os.PathLike):  # a file's number
            return
        path = os.path.abspath(os.fsdecode(opened))  # noqa: PTH100
        if (kind, path) in self._seen:
            return
        self._seen.add((kind, path))
        real = os.path.realpath(path)
        if _CACHE in real:
            if kind != CODE:
                return
            real = _source(real)
        if not self._counts(real):
            return
        if _is_digesting():
            self._seen.discard((kind, path))
        else:
            self._write(Record(kind, real, state(real)))

    def _is_loading(self, frame: FrameType | None) -> bool:
        """Tell whether a library does something as it is loaded: that is no choice of a lesson."""
        while frame is not None:
            file = frame.f_code.co_filename
            if file.startswith(_LOADING):
                return True
            if not file.startswith("<frozen ") and not self._is_of_a_library(file):
                return False
            frame = frame.f_back
        return False

    def _is_of_a_library(self, file: str) -> bool:
        return os.path.realpath(file).startswith(self._libraries)

    def _write(self, record: Record) -> None:
        if record[:2] not in self._written:
            self._written.add(record[:2])
            os.write(self._file, f"{json.dumps(record)}\n".encode())

    def _counts(self, path: str) -> bool:
        for folder, counts in self._below:
            if path == folder or path.startswith(f"{folder}{os.sep}"):
                return counts
        return False


def _is_digesting() -> bool:
    frame: FrameType | None = sys._getframe(2)
    while frame is not None:
        if str(frame.f_globals.get("__name__")).startswith(_DIGESTER):
            return True
        frame = frame.f_back
    return False


def _source(cached: str) -> str:
    try:
        return importlib.util.source_from_cache(cached)
    except ValueError:
        return cached
