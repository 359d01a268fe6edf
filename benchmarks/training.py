"""Training: the peers in turn, round by round, and the bound that none can pass."""

from __future__ import annotations

import json
import os
import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks import machine, products
from bnlab import arithmetic, catalogue, notebook, recipes, runs

REFERENCE = "fit"
"""The peer that the others are measured against: the notebook's own way."""


ENVIRONMENTS = ("jax", "torch")
"""The libraries that have an environment of their own, beside the project's."""


class Peer(NamedTuple):
    """One way to train.

    Attributes
    ----------
    title : str
        What tables call it.
    environment : str
        ``""`` for the project's own, else one of :data:`ENVIRONMENTS`.
    module : str
        Below :mod:`benchmarks.peers`.
    options : tuple of str
        For the module.
    backend : str
        Keras's, where it matters.
    """

    title: str
    environment: str
    module: str
    options: tuple[str, ...] = ()
    backend: str = "tensorflow"


PEERS = {
    REFERENCE: Peer("Keras fit", "", "keras_fit"),
    "fit_573": Peer("fit, 573 steps at once", "", "keras_fit", ("--steps-per-execution", "573")),
    "keras_jax": Peer("Keras fit on JAX", "jax", "keras_fit", backend="jax"),
    "jax_scan": Peer("JAX by hand", "jax", "jax_scan"),
    "torch_eager": Peer("PyTorch by hand", "torch", "torch_eager"),
    "ours": Peer("This course", "", "ours"),
    "ours_15": Peer("This course, 15 runs", "", "ours", ("--seeds", str(len(recipes.SEEDS)))),
}
"""In the order of the tables. All but the last train the three networks once."""

COMPARED = {"accuracy": 1, "val_accuracy": 3}
"""Metrics that must agree with the notebook's log, by their place in a history."""

LIMIT, EARLY_LIMIT, EARLY = 0.015, 0.03, 3
"""How far they may be from it, and how far in the first epochs, when a seed still shows:
there even our own five seeds stand up to 1.9 points from the notebook's one."""


def python(environment: str) -> Path:
    """Return the Python of an environment: the project's, or one beside it by its name."""
    return Path(sys.prefix + (environment and f"-{environment}")) / "bin" / "python"


def missing() -> dict[str, str]:
    """Return why each environment that cannot be used cannot."""
    reasons = {}
    for name in ENVIRONMENTS:
        try:
            machine.measure([python(name), "-c", f"import {name}"])
        except (machine.BenchmarkError, OSError) as error:
            reasons[name] = (
                f"{str(error).strip().splitlines()[-1].replace(str(python(name)), 'its Python')}; "
                f"`make benchmark` makes its environment from benchmarks/{name}.txt"
            )
    return reasons


def references() -> dict[str, dict[str, Sequence[float]]]:
    """Return what each network's accuracies are compared with, epoch by epoch.

    That is the notebook's printed log and, for the network that it prints none of, the mean
    of the course's stored runs.
    """

    def mean(of_network: list[runs.Run], metric: str) -> list[float]:
        return [
            statistics.fmean(values)
            for values in zip(*(run.history[metric] for run in of_network), strict=True)
        ]

    return {
        name: notebook.LOGS.get(name)
        or {metric: mean(runs.load_seeds(name), metric) for metric in COMPARED}
        for name in catalogue.NOTEBOOK
    }


def check(
    peer: str,
    networks: Mapping[str, Mapping[str, Any]],
    expected: Mapping[str, Mapping[str, Sequence[float]]],
) -> float:
    """Return the largest difference from the expected accuracies after the early epochs.

    Raises
    ------
    BenchmarkError
        If a network is missing, has another number of parameters, or is too far away in an
        epoch.
    """
    furthest = 0.0
    for name in catalogue.NOTEBOOK:
        if name not in networks:
            raise machine.BenchmarkError(f"{peer} did not train {name}.")
        counted, count = networks[name]["parameters"], arithmetic.totals(arithmetic.count(name))
        if counted not in (None, count.total):
            raise machine.BenchmarkError(
                f"{peer} has {counted} parameters in {name}, not {count.total}."
            )
        for metric, column in COMPARED.items():
            pairs = zip(networks[name]["history"], expected[name][metric], strict=False)
            for epoch, (measured, wanted) in enumerate(pairs, start=1):
                difference = abs(measured[column] - wanted)
                at_most = EARLY_LIMIT if epoch <= EARLY else LIMIT
                if not difference <= at_most:  # nor may it be NaN
                    raise machine.BenchmarkError(
                        f"{peer} does not do the same work: {name} has a {metric} of "
                        f"{measured[column]:.4f} after epoch {epoch}, and expected is "
                        f"{wanted:.4f} ± {at_most}."
                    )
                furthest = max(furthest, difference) if epoch > EARLY else furthest
    return furthest


def run(
    rounds: int, epochs: int, write: Callable[[dict[str, Any]], None], say: Callable[[str], None]
) -> None:
    """Measure all peers in each round, in turn forwards and backwards, then the bound."""
    expected, absent = references(), missing()
    results: dict[str, Any] = {
        "about": machine.about(),
        "epochs": epochs,
        "titles": {name: peer.title for name, peer in PEERS.items()},
        "missing": {},
        "libraries": {},
        "rounds": [],
    }
    present = []
    for name, peer in PEERS.items():
        if reason := absent.get(peer.environment):
            results["missing"][name] = reason
            say(f"  missing: {peer.title}: {reason}")
        else:
            present.append(name)
    for number in range(rounds):
        results["rounds"].append({})
        for name in present[:: -1 if number % 2 else 1]:
            peer = PEERS[name]
            measured = machine.measure(
                [
                    *(python(peer.environment), "-m", f"benchmarks.peers.{peer.module}"),
                    *("--epochs", epochs, *peer.options),
                ],
                PYTHONPATH=machine.ROOT / "src",
                KERAS_BACKEND=peer.backend,
                TQDM_DISABLE="1",
            )
            printed = json.loads(measured.output.splitlines()[-1])
            furthest = check(peer.title, printed["networks"], expected)
            results["libraries"][name] = printed["libraries"]
            results["rounds"][-1][name] = {
                "seconds": measured.seconds,
                "cpu_seconds": measured.cpu_seconds,
                "peak_gib": measured.peak_gib,
                "difference": furthest,
                "networks": printed["networks"],
            }
            say(f"  round {number + 1}: {peer.title:24} {measured.seconds:7.1f} s")
            write(summarized(results))
    results["bound"] = bound(absent, say)
    write(summarized(results))


def summarized(results: dict[str, Any]) -> dict[str, Any]:
    """Add medians over the rounds, ratios within each round with their spread, and the limits."""
    rounds = [one for one in results["rounds"] if REFERENCE in one]

    def median(name: str, value: Callable[[Mapping[str, Any]], float]) -> float:
        return statistics.median(value(one[name]) for one in rounds if name in one)

    summary = {}
    for name in PEERS:
        of_peer = [one for one in rounds if name in one]
        if not of_peer:
            continue
        ratios = [one[name]["seconds"] / one[REFERENCE]["seconds"] for one in of_peer]
        summary[name] = {
            "ratio": statistics.median(ratios),
            "spread": [min(ratios), max(ratios)],
            **{
                value: median(name, lambda measured, value=value: measured[value])
                for value in ("seconds", "cpu_seconds", "peak_gib", "difference")
            },
            # The first epoch includes compiling.
            "epoch_seconds": {
                network: median(
                    name,
                    lambda measured, network=network: statistics.median(
                        measured["networks"][network]["seconds"][1:]
                        or measured["networks"][network]["seconds"]
                    ),
                )
                for network in catalogue.NOTEBOOK
            },
        }
    limits = []
    if {"ours", "ours_15"} <= summary.keys():
        three, all_runs = summary["ours"], summary["ours_15"]
        peak = max(three["peak_gib"], all_runs["peak_gib"])
        limits = [
            machine.limit("Three runs, against the notebook's fit", three["ratio"], 0.11, "ratio"),
            machine.limit("All 15 runs, against the same", all_runs["ratio"], 0.33, "ratio"),
            machine.limit("Peak memory of a worker", peak, 1.2, "GiB"),
        ]
    return results | {"summary": summary, "limits": limits}


def bound(absent: Mapping[str, str], say: Callable[[str], None]) -> dict[str, Any]:
    """Measure the products of an epoch in every library, on one core and on all.

    The seconds of an epoch that no arrangement of the work can pass are those of the best
    library: in one process on all cores, or in one process a core, which then do several
    epochs at a time.
    """
    cores = os.cpu_count() or 1
    measured: dict[str, dict[str, dict[str, float]]] = {}
    for library in products.LIBRARIES:
        environment = library if library in ENVIRONMENTS else ""
        if environment in absent:
            continue
        measured[library] = {}
        for count in sorted({1, cores}):
            output = machine.measure(
                [python(environment), "-m", "benchmarks.products", library, "--cores", str(count)],
                PYTHONPATH=machine.ROOT / "src",
            ).output
            measured[library][str(count)] = json.loads(output.splitlines()[-1])
        say(f"  products: {library}")

    def best(network: str, count: int) -> float:
        return min(of_library[str(count)][network] for of_library in measured.values())

    return {
        "cores": cores,
        "libraries": measured,
        "one_core": {name: best(name, 1) for name in catalogue.NOTEBOOK},
        "all_cores": {
            name: min(best(name, cores), best(name, 1) / cores) for name in catalogue.NOTEBOOK
        },
    }
