"""One build at a time in a checkout, and none upon what a killed one left.

Sphinx trusts what it finds: a page that a killed build left half written, or did not come
to write, would count as finished. So a mark stands as long as pages are being made; a
build that finds one makes all pages anew. The results are in the store and stay there.
"""

from __future__ import annotations

import functools
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import filelock
from sphinx.application import ENV_PICKLE_FILENAME
from sphinx.util import logging

from evergreen.stopping import stopping

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.config import Config
    from sphinx.environment import BuildEnvironment

_log = logging.getLogger(__name__)


def setup(app: Sphinx) -> None:
    """Connect this part to Sphinx."""
    # Sphinx reads what the last build left right after its configuration.
    app.connect("config-inited", _begin, priority=1)
    app.connect("env-get-outdated", _mark, priority=1)


def _begin(app: Sphinx, _config: Config) -> None:
    with stopping():
        _begin_alone(app)


def _begin_alone(app: Sphinx) -> None:
    """Wait for another build of this checkout, and clear away one that did not finish."""
    made = Path(app.doctreedir).parent
    lock = filelock.FileLock(made / "build.lock")
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        _log.info("Another build of this checkout is under way; waiting for its end.")
        lock.acquire()
    app.connect("build-finished", functools.partial(_end, lock), priority=1000)
    if _mark_of(app).exists():
        _log.info("The last build did not finish; making all pages anew.")
        for folder in (app.doctreedir, app.outdir, made / "jupyter_execute"):
            _empty(Path(folder))


def _empty(folder: Path) -> None:
    """Delete all that lies in a folder, which itself may be a link or a disk of its own."""
    for path in folder.iterdir() if folder.is_dir() else ():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _mark_of(app: Sphinx) -> Path:
    return Path(app.doctreedir).parent / "unfinished"


def _mark(app: Sphinx, _env: BuildEnvironment, *_changes: set[str]) -> list[str]:
    _mark_of(app).touch()
    return []


def _end(lock: filelock.FileLock, app: Sphinx, error: Exception | None) -> None:
    # After an error Sphinx itself forgets what it has read.
    if error is None and not _fails(app) and not _forestalls(app):
        _mark_of(app).unlink(missing_ok=True)
    lock.release()


def _fails(app: Sphinx) -> bool:
    """Return whether warnings fail this build; the next would not read their pages again."""
    # The count has no public name in Sphinx, up to 8.2.
    return bool(app.keep_going and app._warncount)


def _forestalls(app: Sphinx) -> bool:
    """Return whether this build has read pages that the one of the site would have to write.

    Sphinx checks links, for example, with the same environment.
    """
    if app.builder.name == "html":
        return False
    environment = Path(app.doctreedir, ENV_PICKLE_FILENAME)
    return environment.stat().st_mtime_ns >= _mark_of(app).stat().st_mtime_ns
