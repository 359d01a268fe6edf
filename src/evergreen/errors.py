"""What a reader or an author can put right."""

from __future__ import annotations

import errno
import functools
import sys
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


class EvergreenError(Exception):
    """A problem whose message is the sentence to show: what is wrong, where, what to do.

    A build ends with the message alone. Every other exception is a mistake in the code, and
    shows where it was made.
    """


class DiskError(EvergreenError):
    """The disk is full."""


def ending_build(function: Callable[P, R]) -> Callable[P, R]:
    """Return a function that ends the process with an :class:`EvergreenError`'s sentence.

    Leaving Python is the only way past Jupyter Book's own report, which would bury the sentence
    under fifty lines of its own call stack.

    Parameters
    ----------
    function : callable
        May raise such an error, or another one that was caused by it.
    """

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except Exception as error:
            known = _known(error)
            if known is None:
                raise
            sys.exit(f"\n{type(known).__name__}: {known}")

    return call


def _known(error: BaseException | None) -> EvergreenError | None:
    """Return the error to report of those that led to an error."""
    while error is not None:
        if isinstance(error, EvergreenError):
            return error
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            place = f" of {error.filename}" if error.filename else ""
            return DiskError(f"The disk{place} is full. Free some space, and build again.")
        error = error.__cause__ or error.__context__
    return None
