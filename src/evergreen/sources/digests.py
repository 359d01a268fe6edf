"""Digests of texts, and the versions of what is installed."""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
from collections.abc import Iterable


def digest(*parts: str | bytes) -> str:
    """Return the SHA-256 of some texts, each with its length, in hexadecimal."""
    total = hashlib.sha256()
    for part in parts:
        raw = part.encode() if isinstance(part, str) else part
        total.update(b"%d:" % len(raw) + raw)
    return total.hexdigest()


def versions(names: Iterable[str]) -> dict[str, str]:
    """Return the installed version of each distribution."""
    return {name: _version(name) for name in names}


_version = functools.cache(importlib.metadata.version)
