"""The machine that trains: its processors, by name and by kind."""

from __future__ import annotations

import os
import platform
from pathlib import Path

from evergreen import sources


def processor() -> str:
    """Return the name and the number of this machine's processors."""
    return f"{_processor_name()}, {os.cpu_count()} cores"


def machine() -> str:
    """Return a short digest of the processor's name and instructions.

    The libraries choose their program by these. So on two machines with the same digest the
    same run gives the same digits; elsewhere it is rounded in other places.
    """
    return sources.digest(platform.machine(), _processor_name(), _cpuinfo("flags", ""))[:12]


def _processor_name() -> str:
    return _cpuinfo("model name", platform.processor() or platform.machine())


def _cpuinfo(field: str, otherwise: str) -> str:
    """Return what Linux says of the first processor."""
    try:
        for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == field:
                return value.strip()
    except OSError:  # not Linux
        pass
    return otherwise
