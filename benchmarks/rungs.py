"""What an epoch of Keras's own ``fit`` takes on each rung of the ladder, in turns.

On one thread, and by the middle half of the rounds: now and then an epoch takes half as long again,
whatever its network.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

from benchmarks import machine
from bnlab import data
from bnlab.recipes import Recipe
from bnlab.studies.sweeps import LADDER

REFERENCE = next(iter(LADDER))
ROUNDS = 12
WARMING = 3_200
"""Images of the first call, in which TensorFlow traces and compiles."""


def measured(rounds: int) -> list[dict[str, float]]:
    """Return for each round the seconds of an epoch, by the rung's title."""
    # TensorFlow is loaded in the measuring process only.
    from bnlab import training

    training.use_one_thread()
    train = data.load().train
    models = {title: training.build(Recipe(**rung)) for title, rung in LADDER.items()}

    def seconds(title: str, images: int) -> float:
        started = time.perf_counter()
        models[title].fit(train.pixels[:images], train.labels[:images], batch_size=32, verbose=0)
        return time.perf_counter() - started

    for title in models:
        seconds(title, WARMING)
    return [{title: seconds(title, len(train.labels)) for title in models} for _ in range(rounds)]


def ratios(rounds: list[dict[str, float]]) -> dict[str, list[float]]:
    """Return by rung the median of its epochs and their quartiles, the first rung's being 1."""
    reference = statistics.median(one[REFERENCE] for one in rounds)
    found = {}
    for title in LADDER:
        low, middle, high = statistics.quantiles((one[title] for one in rounds), n=4)
        found[title] = [middle / reference, low / reference, high / reference]
    return found


def run(rounds: int, write: Callable[[dict[str, Any]], None], say: Callable[[str], None]) -> None:
    """Measure in a process of its own, since TensorFlow's threads are set once in a process."""
    command = [sys.executable, "-m", "benchmarks.rungs", "--rounds", str(rounds)]
    found = json.loads(machine.measure(command, machine.ROOT).output.splitlines()[-1])
    write({"about": machine.about(), "rounds": found, "ratios": ratios(found)})
    for title, (median, low, high) in ratios(found).items():
        say(f"  {title}: {median:.2f} of the baseline's epoch ({low:.2f} to {high:.2f})")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    print(json.dumps(measured(parser.parse_args().rounds)))


if __name__ == "__main__":
    main()
