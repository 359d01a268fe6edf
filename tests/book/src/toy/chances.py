"""How likely each end of a walk is."""

from __future__ import annotations

import math


def ways(steps: int, end: int) -> int:
    """Return the number of walks that end at a place.

    Raises
    ------
    ValueError
        If no walk of so many steps ends there.
    """
    if (steps + end) % 2 or abs(end) > steps:
        raise ValueError(f"No walk of {steps} steps ends at {end}.")
    return math.comb(steps, (steps + end) // 2)


def describe(steps: int, end: int) -> str:
    """Say how many walks end at a place."""
    # Every walk is as likely as any other.
    return f"{ways(steps, end)} of {2**steps} walks"
