"""A small book in a folder of its own: build it, edit it, and see what that did."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from forking import ENGINE, PROGRAM, builder

SOURCE = Path(__file__).parents[1] / "book"
ARGUMENTS = ("build", "book", "-W", "--keep-going")

_ANSI = re.compile(r"\x1b\[[0-9;]*m")


def wait_for(condition: Callable[[], object]) -> bool:
    """Wait until something is so; return False if it does not become so."""
    for _ in range(1200):
        if condition():
            return True
        time.sleep(0.1)
    return False


class Build(NamedTuple):
    """What one call of ``jupyter-book build book`` did.

    Attributes
    ----------
    status : int
        Its exit status.
    output : str
        What it printed, stdout and stderr, without colours.
    executed : list of str
        The lessons that were executed for it and kept, by document name, sorted.
    changed : set of str
        Files of the site that are new, gone, or have other contents than before.
    written : set of str
        Files of the site that were written, also those with the contents of before.
    """

    status: int
    output: str
    executed: list[str]
    changed: set[str]
    written: set[str]

    @property
    def pages(self) -> set[str]:
        """The pages that were written, without those of Sphinx, by document name."""
        return _pages(self.written)

    @property
    def changed_pages(self) -> set[str]:
        """Those of them whose contents are not the same as before."""
        return _pages(self.changed)


def _pages(files: set[str]) -> set[str]:
    names = {name.removesuffix(".html") for name in files if name.endswith(".html")}
    return names - {"404", "genindex", "search"}


class TinyBook:
    """A copy of ``tests/book`` that a test may change.

    Parameters
    ----------
    folder : pathlib.Path
        Where the copy is made. The book's store lies below it, in ``store``.
    results : pathlib.Path, optional
        A store whose results it begins with.
    source : pathlib.Path, optional
        Another book to copy, without what was built of it.

    Attributes
    ----------
    forks : bool
        Whether its builds are forked from a process that has imported what they need. What
        :meth:`start` starts never is.
    """

    forks = True

    def __init__(self, folder: Path, results: Path | None = None, source: Path = SOURCE) -> None:
        self.folder = folder
        self.store = folder / "store"
        ignored = shutil.ignore_patterns("__pycache__", "_build", "store")
        shutil.copytree(source, folder, symlinks=True, ignore=ignored)
        if results is not None and results.is_dir():
            shutil.copytree(results, self.store)

    @property
    def html(self) -> Path:
        """The folder of the built site."""
        return self.folder / "_build" / "html"

    def start(
        self,
        *options: str,
        environment: Mapping[str, str] | None = None,
        prefix: Sequence[str] = (),
    ) -> subprocess.Popen[str]:
        """Start a build, and do not wait for it.

        Parameters
        ----------
        *options : str
            For ``jupyter-book build book``.
        environment : mapping of str to str, optional
            Variables to set for it.
        prefix : sequence of str
            A command that is given the build's own command to run.
        """
        return subprocess.Popen(
            [*prefix, str(PROGRAM), *ARGUMENTS, *options],
            cwd=self.folder,
            env=self._environment(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def build(self, *options: str, environment: Mapping[str, str] | None = None) -> Build:
        """Build the book, whatever comes of it. See :meth:`start` for the parameters."""
        site, times, executions = self.site(), self._times(), self._executions()
        status, output = (self._fork if self.forks else self._run)(options, environment)
        now, written = self.site(), self._times()
        kept = self._executions()
        return Build(
            status,
            _ANSI.sub("", output),
            sorted(kept[entry] for entry in kept.keys() - executions.keys()),
            {name for name in site.keys() | now.keys() if site.get(name) != now.get(name)},
            {name for name, time in written.items() if times.get(name) != time},
        )

    def update(self, *options: str, environment: Mapping[str, str] | None = None) -> Build:
        """Build the book, and return what that did if it succeeded."""
        result = self.build(*options, environment=environment)
        assert result.status == 0, result.output
        return result

    def refuse(self, *options: str, environment: Mapping[str, str] | None = None) -> str:
        """Build the book, and return what the build said as it failed."""
        result = self.build(*options, environment=environment)
        assert result.status != 0, result.output
        return result.output

    def site(self) -> dict[str, bytes]:
        """Return every file of the built site, by its path."""
        return {name: (self.html / name).read_bytes() for name in self._times()}

    def from_nothing(self, folder: Path, *, results: Path | None = None) -> dict[str, bytes]:
        """Return the site that a first build of this book's sources writes.

        A process of its own builds it, which orders sets otherwise than any before.

        Parameters
        ----------
        folder : pathlib.Path
            Where to build it.
        results : pathlib.Path, optional
            A store whose results may be used. By default everything is computed.
        """
        other = TinyBook(folder, results, source=self.folder)
        other.forks = False
        other.update()
        return other.site()

    def path(self, name: str) -> Path:
        """Return the path of one of the book's files, by its path in the book."""
        return self.folder / name

    def read(self, name: str) -> str:
        """Return the text of one of the book's files."""
        return self.path(name).read_text("utf-8")

    def write(self, name: str, text: str) -> None:
        """Write one of the book's files."""
        self.path(name).parent.mkdir(parents=True, exist_ok=True)
        self.path(name).write_text(text, "utf-8")

    def replace(self, name: str, old: str, new: str) -> None:
        """Replace a text in one of the book's files, which must hold it once."""
        text = self.read(name)
        assert text.count(old) == 1, f"{name} holds {old!r} {text.count(old)} times"
        self.write(name, text.replace(old, new))

    def _environment(self, own: Mapping[str, str] | None) -> dict[str, str]:
        return {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(map(str, (self.folder / "src", ENGINE))),
            "EVERGREEN_STORE": str(self.store),
            **(own or {}),
        }

    def _run(
        self, options: Sequence[str], environment: Mapping[str, str] | None
    ) -> tuple[int, str]:
        process = self.start(*options, environment=environment)
        output, _ = process.communicate()
        return process.returncode, output

    def _fork(
        self, options: Sequence[str], environment: Mapping[str, str] | None
    ) -> tuple[int, str]:
        return builder().run([*ARGUMENTS, *options], self.folder, self._environment(environment))

    def _times(self) -> dict[str, int]:
        return {
            path.relative_to(self.html).as_posix(): path.stat().st_mtime_ns
            for path in self.html.rglob("*")
            if path.is_file()
        }

    def _executions(self) -> dict[Path, str]:
        """Return the lesson of each stored execution, by where it is stored."""
        return {
            path: json.loads(path.read_text("utf-8"))["lesson"]
            for path in self.store.glob("lessons/*/execution.json")
        }
