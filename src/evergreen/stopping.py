"""End a build with one sentence where its author can put right what is wrong."""

from __future__ import annotations

import contextlib
import errno
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from evergreen.errors import EvergreenError

if TYPE_CHECKING:
    from sphinx.application import Sphinx


def setup(app: Sphinx) -> None:
    """Connect this part to Sphinx."""
    # Behind all others: who has something to release or to clear away does that first.
    app.connect("build-finished", _stop, priority=9999)


@contextlib.contextmanager
def stopping() -> Iterator[None]:
    """End the build if something within raises what an author can put right.

    For what happens before the pages are read; what is raised later ends the build as well,
    when Sphinx reports its end.
    """
    try:
        yield
    except Exception as error:
        _stop(None, error)
        raise


def _stop(_app: Sphinx | None, error: Exception | None) -> None:
    """Leave Python: the only way past reports that bury the sentence under their call stack."""
    if sentence := _sentence(error):
        sys.exit(f"\n{sentence}")


def _sentence(error: BaseException | None) -> str | None:
    """Return what to say of an error, however it was wrapped, or None where that is unknown."""
    while error is not None:
        if isinstance(error, EvergreenError):
            return f"{type(error).__name__}: {error}"
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            where = f" of {error.filename}" if error.filename else ""
            return f"The disk{where} is full. Free some space, and build again."
        error = error.__cause__ or error.__context__
    return None
