"""Rolls of two dice."""

import random

SIDES = 6


def roll(times: int, seed: int) -> list[int]:
    """Return the sums that two dice show."""
    dice = random.Random(seed)
    return [dice.randint(1, SIDES) + dice.randint(1, SIDES) for _ in range(times)]
