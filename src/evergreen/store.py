"""A folder of finished results, each under the digest of all that it depends on.

An entry appears whole or not at all, is written once, and is checked against its own
digests when a process first reads it, and again when a file of it has changed. A damaged
entry counts as absent and is made again. An entry that nobody has asked for in weeks can be
removed: ``python -m evergreen.store`` says which.
"""

from __future__ import annotations

import argparse
import contextlib
import errno
import hashlib
import json
import logging
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import filelock

from evergreen.errors import EvergreenError

FOLDER_VARIABLE = "EVERGREEN_STORE"
"""Environment variable: the folder to keep results in."""

KEEP_DAYS = 28
"""Days that an entry is kept after it was last asked for, by default."""

_DAY = 24 * 60 * 60
_MOMENT = 2  # seconds; some file systems count no less
_MANIFEST = "manifest.json"
_LOCK = ".lock"
_DRAFT = "."
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
            whole = _is_whole(entry)
        except FileNotFoundError:
            whole = False
        except PermissionError as error:
            raise StoreError(
                f"The stored result {entry} cannot be read. Make it readable, or set "
                f"{FOLDER_VARIABLE} to another folder."
            ) from error
        except (OSError, ValueError):
            whole = False
        if not whole:
            return None
        _note_use(entry)
        return entry

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
            lock = self.folder / f"{key}{_LOCK}"
            with filelock.FileLock(lock):
                if entry := self.find(key):
                    return entry
                self._write(key, write)
                # Who waits for it finds the entry. Windows keeps it until a later pruning.
                with contextlib.suppress(OSError):
                    lock.unlink()
        entry = self.find(key)
        if entry is None:
            raise StoreError(
                f"The result just written to {self.folder / key} does not read back as it "
                "was written. Check the disk."
            )
        return entry

    def _write(self, key: str, write: Callable[[Path], None]) -> None:
        prefix = f"{_DRAFT}{key[:12]}-"
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
            if os.path.lexists(entry):
                _log.warning("The stored result %s is damaged; it is made again.", entry)
                _remove(entry)
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


class Unused(NamedTuple):
    """Something in a store's folder that is not needed any more.

    Attributes
    ----------
    path : pathlib.Path
    days : float
        Since it was last asked for.
    size : int
        In bytes.
    """

    path: Path
    days: float
    size: int


def unused(keep_days: float = KEEP_DAYS) -> list[Unused]:
    """Return the entries that nobody has asked for lately, and what killed processes left.

    Whoever shares the folder counts: an entry that another checkout's build has asked for is
    in use.

    Parameters
    ----------
    keep_days : float
        Days since an entry was last asked for.
    """
    now = time.time()
    found = []
    for path in sorted(root().glob("*/*")):
        # Nothing takes a day to write, or waits so long for what another process writes.
        left_over = path.name.startswith(_DRAFT) or path.suffix == _LOCK
        try:
            days = (now - _last_use(path)) / _DAY
            size = sum(file.lstat().st_size for file in (path, *path.rglob("*")))
        except OSError:  # another process has just removed it, or it may not be read
            continue
        if days > (1 if left_over else keep_days):
            found.append(Unused(path, days, size))
    return found


def prune(keep_days: float = KEEP_DAYS) -> list[Unused]:
    """Remove what :func:`unused` names, as far as this user may, and return what was removed."""
    return [item for item in unused(keep_days) if _remove(item.path, ignore_errors=True)]


def _note_use(entry: Path) -> None:
    """Note on an entry that it was asked for today."""
    manifest = entry / _MANIFEST
    with contextlib.suppress(OSError):  # a store that may only be read
        if time.time() - manifest.stat().st_mtime > _DAY:
            os.utime(manifest)


def _last_use(path: Path) -> float:
    manifest = path / _MANIFEST
    return (manifest if manifest.is_file() else path).lstat().st_mtime


def _remove(path: Path, *, ignore_errors: bool = False) -> bool:
    """Remove a folder, or whatever stands in its place, and return whether it is gone."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=ignore_errors)
    else:
        with contextlib.suppress(*([OSError] if ignore_errors else [])):
            path.unlink(missing_ok=True)
    return not os.path.lexists(path)


# What was found to be whole, as it was then: a build asks for the same runs many times.
_whole: dict[Path, list[tuple[str, int, int, int]]] = {}


def _is_whole(entry: Path) -> bool:
    """Tell whether an entry's files are those that were written."""
    state = [
        (str(path), found.st_mtime_ns, found.st_ctime_ns, found.st_size)
        for path in sorted(entry.rglob("*"))
        if path.is_file()
        for found in [path.stat()]
    ]
    if _whole.get(entry) != state:
        if json.loads((entry / _MANIFEST).read_text("utf-8")) != _digests(entry):
            return False
        # In the same moment, another change would not show.
        if all(time.time() - changed / 1e9 > _MOMENT for _, changed, *_ in state):
            _whole[entry] = state
    return True


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


def main(arguments: list[str] | None = None) -> None:
    """Show what of the store is not needed any more, and remove it if asked to."""
    parser = argparse.ArgumentParser(prog="python -m evergreen.store", description=main.__doc__)
    parser.add_argument(
        "--keep-days",
        type=float,
        default=KEEP_DAYS,
        metavar="DAYS",
        help="keep what was asked for in so many days (default: %(default)s)",
    )
    parser.add_argument("--delete", action="store_true", help="remove it")
    chosen = parser.parse_args(arguments)
    if not root().is_dir():
        sys.exit(f"There is no store in {root()}.")
    found = prune(chosen.keep_days) if chosen.delete else unused(chosen.keep_days)
    for path, days, size in found:
        print(f"{size / 2**20:8.1f} MiB  unused for {days:3.0f} days  {path.relative_to(root())}")
    freed = sum(item.size for item in found) / 2**20
    what = "Freed" if chosen.delete else "--delete would free"
    print(f"{what} {freed:.1f} MiB in {len(found)} entries of {root()}.")


if __name__ == "__main__":
    main()
