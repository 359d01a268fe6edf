"""What a reader or an author can put right."""

from __future__ import annotations


class EvergreenError(Exception):
    """A problem whose message is the sentence to show: what is wrong, where, what to do.

    A build ends with the message alone. Every other exception is a mistake in the code, and
    shows where it was made.
    """
