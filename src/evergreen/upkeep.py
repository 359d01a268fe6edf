"""Keep the store small, and show its notices in the build's log, never in a lesson."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from sphinx.util import logging as sphinx_logging

from evergreen import store

if TYPE_CHECKING:
    from sphinx.application import Sphinx

_log = sphinx_logging.getLogger(__name__)


def setup(app: Sphinx) -> None:
    """Connect this part to Sphinx."""
    app.connect("builder-inited", _show_notices, priority=1)
    app.connect("build-finished", _prune)


class _Notices(logging.Handler):
    """Passes on what the engine's light half logs."""

    def emit(self, record: logging.LogRecord) -> None:
        _log.info(record.getMessage())


def _show_notices(_app: Sphinx) -> None:
    logger = logging.getLogger("evergreen")
    if not any(isinstance(handler, _Notices) for handler in logger.handlers):
        logger.addHandler(_Notices())


def _prune(app: Sphinx, error: Exception | None) -> None:
    days = app.config.evergreen_keep_days
    if error is None and days and store.root().is_dir() and (removed := store.prune(days)):
        freed = sum(item.size for item in removed) / 2**20
        _log.info("Removed %d results unused for %g days: %.1f MiB.", len(removed), days, freed)
