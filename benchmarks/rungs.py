"""What an epoch of Keras's own ``fit`` takes on each rung of the ladder, in turns."""

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
WARMING = 3_200
"""Images of the first call, in which TensorFlow traces and compiles."""


def measured(rounds: int) -> list[dict[str, float]]:
    """Return for each round the seconds of an epoch, by the rung's title."""
    # TensorFlow is loaded in the measuring process only.
    from bnlab import training

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
    """Return by rung the median, lowest and highest ratio to the first rung of the same round."""
    found = {}
    for title in LADDER:
        of_rung = [one[title] / one[REFERENCE] for one in rounds]
        found[title] = [statistics.median(of_rung), min(of_rung), max(of_rung)]
    return found


def run(rounds: int, write: Callable[[dict[str, Any]], None], say: Callable[[str], None]) -> None:
    """Measure in a process of its own, since TensorFlow takes all cores there."""
    command = [sys.executable, "-m", "benchmarks.rungs", "--rounds", str(rounds)]
    found = json.loads(machine.measure(command, machine.ROOT).output.splitlines()[-1])
    write({"about": machine.about(), "rounds": found, "ratios": ratios(found)})
    for title, (median, lowest, highest) in ratios(found).items():
        say(f"  {title}: {median:.2f} of the baseline's epoch ({lowest:.2f} to {highest:.2f})")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    print(json.dumps(measured(parser.parse_args().rounds)))


if __name__ == "__main__":
    main()
