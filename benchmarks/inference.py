"""Answering before and after batch normalization is folded away, in turns."""

from __future__ import annotations

import functools
import json
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

from benchmarks import machine
from bnlab import catalogue, runs

ROUNDS = 15
CASES = {"batch": (10_000, 20), "single": (1, 1_000)}
"""How many images a call gets, and how many calls are timed together."""


def measured() -> dict[str, dict[str, float]]:
    """Return for each network with batch normalization the share of its time that is left."""
    return {
        name: {case: ratio(name, images, calls) for case, (images, calls) in CASES.items()}
        for name in catalogue.NOTEBOOK
        if catalogue.find(name).normalized
    }


def ratio(name: str, images: int, calls: int) -> float:
    # TensorFlow is loaded in the measuring process only.
    import tensorflow as tf

    from bnlab import folding

    model = runs.load(name).model()
    pixels = tf.random.stateless_uniform((images, 28, 28), seed=(0, 0))
    before, after = (
        tf.function(functools.partial(one, training=False)) for one in (model, folding.fold(model))
    )
    for call in (before, after):
        call(pixels)  # traces
    return statistics.median(
        seconds(after, pixels, calls) / seconds(before, pixels, calls) for _ in range(ROUNDS)
    )


def seconds(call: Callable[[Any], Any], pixels: Any, calls: int) -> float:
    started = time.perf_counter()
    for _ in range(calls):
        call(pixels)
    return time.perf_counter() - started


def run(write: Callable[[dict[str, Any]], None], say: Callable[[str], None]) -> None:
    """Measure in a process of its own, since TensorFlow takes all cores there."""
    command = [sys.executable, "-m", "benchmarks.inference"]
    ratios = json.loads(machine.measure(command, machine.ROOT).output)
    write({"about": machine.about(), "rounds": ROUNDS, "ratios": ratios})
    for name, of_network in ratios.items():
        for case, value in of_network.items():
            say(f"  {catalogue.find(name).title}, folded, {case}: {value:.2f} of the time")


if __name__ == "__main__":
    print(json.dumps(measured()))
