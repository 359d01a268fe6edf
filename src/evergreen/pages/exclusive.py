"""One build at a time in a checkout, and none on the ruins of one that was killed.

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
from sphinx.util import logging

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
    """Wait for another build of this checkout, and clear away one that was killed."""
    made = Path(app.doctreedir).parent
    lock = filelock.FileLock(made / "build.lock")
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        _log.info("Another build of this checkout is under way; waiting for its end.")
        lock.acquire()
    app.connect("build-finished", functools.partial(_end, lock), priority=1000)
    if _mark_of(app).exists():
        _log.info("The last build was killed; making all pages anew.")
        for folder in (app.doctreedir, app.outdir, made / "jupyter_execute"):
            shutil.rmtree(folder, ignore_errors=True)
        for folder in (app.doctreedir, app.outdir):
            Path(folder).mkdir()


def _mark_of(app: Sphinx) -> Path:
    return Path(app.doctreedir).parent / "unfinished"


def _mark(app: Sphinx, _env: BuildEnvironment, *_changes: set[str]) -> list[str]:
    _mark_of(app).touch()
    return []


def _end(lock: filelock.FileLock, app: Sphinx, error: Exception | None) -> None:
    # After an error Sphinx itself forgets what it has read.
    if error is None:
        _mark_of(app).unlink(missing_ok=True)
    lock.release()
