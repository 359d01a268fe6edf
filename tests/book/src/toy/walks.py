"""A crowd of random walks. It takes a while, so its results are kept."""

from __future__ import annotations

import dataclasses
import json
import math
import random
from pathlib import Path

from evergreen import sources, store
from evergreen.claims import Evidence

WALKERS = 2_000

_store = store.Store("walks")


@dataclasses.dataclass(frozen=True)
class Crowd:
    """Where the walkers of a crowd end."""

    key: str
    steps: int
    seed: int
    ends: tuple[int, ...]

    @property
    def distance(self) -> float:
        """The root mean square of the ends, in steps."""
        return math.sqrt(sum(end**2 for end in self.ends) / len(self.ends))

    @property
    def evidence(self) -> Evidence:
        """How the page of claims names this crowd."""
        return Evidence(f"{self.steps} steps", self.key, f"seed {self.seed} ({self.key[:8]})")

    def __str__(self) -> str:
        return f"{len(self.ends)} walkers, {self.steps} steps each: {self.distance:.4f} steps away"


def load(steps: int, seed: int) -> Crowd:
    """Return a crowd's ends, from the store where they are there already."""
    if steps < 1:
        raise ValueError(f"A walk has at least one step, not {steps}.")
    key = sources.digest(
        sources.Codebase(["toy"]).digest_of(["toy.walks:walk"]), f"{WALKERS} {steps} {seed}"
    )

    def write(folder: Path) -> None:
        (folder / "ends.json").write_text(json.dumps(walk(WALKERS, steps, seed)), "utf-8")

    ends = json.loads((_store.make(key, write) / "ends.json").read_text("utf-8"))
    return Crowd(key, steps, seed, tuple(ends))


def walk(walkers: int, steps: int, seed: int) -> list[int]:
    """Toss a coin for every step of every walker, and return where they end."""
    coin = random.Random(seed)
    return [sum(coin.choice((-1, 1)) for _ in range(steps)) for _ in range(walkers)]
