"""How many networks may train side by side where memory is limited, as it is in Binder."""

from __future__ import annotations

import os
import sys
from pathlib import Path

GIB = 2**30
WORKER = 1.3 * GIB
"""What a process that trains a network needs, in bytes."""

_KERNEL = 0.6 * GIB  # the notebook's own process, which has loaded TensorFlow too
_CGROUPS = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)


def limit() -> int | None:
    """Return the bytes that this container may use, or None where there is no limit.

    JupyterHub, and so Binder, tells it in ``MEM_LIMIT``; elsewhere the kernel does.
    """
    texts = [os.environ.get("MEM_LIMIT", "")]
    texts += [path.read_text("ascii").strip() for path in _CGROUPS if path.is_file()]
    return min((int(text) for text in texts if text.isdecimal()), default=None)


def workers() -> int:
    """Return how many training processes fit into the memory: at least one."""
    allowed = limit()
    return sys.maxsize if allowed is None else max(1, int((allowed - _KERNEL) // WORKER))
