"""A folder of finished results, each under the digest of all that it depends on.

An entry appears whole or not at all, is written once, and is checked against its own
digests when it is read. A damaged entry counts as absent and is made again.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import logging
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import filelock

from evergreen.errors import EvergreenError

FOLDER_VARIABLE = "EVERGREEN_STORE"
"""Environment variable: the folder to keep results in."""

_MANIFEST = "manifest.json"
_UNWRITABLE = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST)
_log = logging.getLogger(__name__)


class StoreError(EvergreenError):
    """Results cannot be kept or read. The message says what to do."""


def root() -> Path:
    """Return the folder that results are kept in.

    The environment variable :data:`FOLDER_VARIABLE` if it is set, ``_build/store`` of the book
    that the current folder lies in, and the user's cache folder elsewhere.
    """
    if chosen := os.environ.get(FOLDER_VARIABLE):
        return Path(chosen).expanduser().resolve()
    here = Path.cwd()
    for folder in (here, *here.parents):
        if all((folder / name).is_file() for name in ("_config.yml", "_toc.yml")):
            return folder / "_build" / "store"
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "evergreen"


class Store:
    """Entries of one kind.

    Parameters
    ----------
    kind : str
        Names the folder below :func:`root`, for example ``"runs"``.
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind

    @property
    def folder(self) -> Path:
        """The folder of this kind's entries."""
        return root() / self.kind

    def find(self, key: str) -> Path | None:
        """Return an entry's folder, or None where there is no whole one."""
        entry = self.folder / key
        try:
            whole = json.loads((entry / _MANIFEST).read_text("utf-8")) == _digests(entry)
        except FileNotFoundError:
            whole = False
        except PermissionError as error:
            raise StoreError(
                f"The stored result {entry} cannot be read. Make it readable, or set "
                f"{FOLDER_VARIABLE} to another folder."
            ) from error
        except (OSError, ValueError):
            whole = False
        return entry if whole else None

    def make(self, key: str, write: Callable[[Path], None]) -> Path:
        """Return an entry's folder, writing it first where there is no whole one.

        Of two processes that ask for the same entry at the same time one writes it and the
        other waits.

        Parameters
        ----------
        key : str
            Digest of all that the entry depends on.
        write : callable
            Given an empty folder, writes the entry's files into it. Whatever it raises is
            passed on, and nothing is kept.

        Raises
        ------
        StoreError
            If the folder cannot be written or the disk is full.
        """
        # What is there needs no lock, and so no folder that can be written to.
        if entry := self.find(key):
            return entry
        with self._reporting():
            self.folder.mkdir(parents=True, exist_ok=True)
            with filelock.FileLock(self.folder / f"{key}.lock"):
                if entry := self.find(key):
                    return entry
                self._write(key, write)
        entry = self.find(key)
        if entry is None:
            raise StoreError(
                f"The result just written to {self.folder / key} does not read back as it "
                "was written. Check the disk."
            )
        return entry

    def _write(self, key: str, write: Callable[[Path], None]) -> None:
        prefix = f".{key[:12]}-"
        for abandoned in self.folder.glob(f"{prefix}*"):  # by a process that was killed
            shutil.rmtree(abandoned, ignore_errors=True)
        draft = Path(tempfile.mkdtemp(prefix=prefix, dir=self.folder))
        try:
            write(draft)
            digests = _digests(draft)
            (draft / _MANIFEST).write_text(json.dumps(digests, indent=1), "utf-8")
            for name in (*digests, _MANIFEST):
                _sync(draft / name)
            entry = self.folder / key
            if entry.exists():
                _log.warning("The stored result %s is damaged; it is made again.", entry)
                shutil.rmtree(entry)
            draft.chmod(0o755)
            draft.rename(entry)
            _sync(self.folder)
        finally:
            shutil.rmtree(draft, ignore_errors=True)

    @contextlib.contextmanager
    def _reporting(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise StoreError(
                    f"The disk of {self.folder} is full. Free some space, or set "
                    f"{FOLDER_VARIABLE} to a folder on another disk; finished results are kept."
                ) from error
            if error.errno in _UNWRITABLE:
                raise StoreError(
                    f"Results cannot be written to {self.folder} ({error.strerror}). Make it "
                    f"writable, or set {FOLDER_VARIABLE} to another folder."
                ) from error
            raise


def _digests(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every file of an entry but its manifest, by relative path."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path != folder / _MANIFEST
    }


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
