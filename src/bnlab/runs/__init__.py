"""Finished training runs: found in the store, or trained and put there.

A run's key is the digest of everything its numbers depend on, so a stored run is never
older than the code, the data or the libraries that claim to have made it.
"""

from __future__ import annotations

from collections.abc import Iterable

from bnlab.recipes import PAGE_SEED, SEEDS, Recipe
from bnlab.runs.host import machine, processor
from bnlab.runs.keys import LIBRARIES, key, keys
from bnlab.runs.pool import TrainingError, train_all
from bnlab.runs.stored import STORE, find, find_all
from bnlab.runs.values import FINAL, METRICS, Result, Run, Spread, spread
from evergreen import claims

__all__ = [
    "FINAL",
    "LIBRARIES",
    "METRICS",
    "Result",
    "Run",
    "Spread",
    "TrainingError",
    "find",
    "find_all",
    "key",
    "keys",
    "load",
    "load_all",
    "load_seeds",
    "machine",
    "processor",
    "spread",
]


def load(network: str, seed: int = PAGE_SEED) -> Run:
    """Return the course's run of a network with a seed, training it first if need be."""
    return load_all([Recipe(network, seed)])[0]


def load_seeds(network: str) -> list[Run]:
    """Return the course's runs of a network, one for each of its seeds, in their order."""
    return load_all([Recipe(network, seed) for seed in SEEDS])


def load_all(recipes: Iterable[Recipe]) -> list[Run]:
    """Return one run for each recipe, in their order, training those that are missing.

    Missing runs are trained side by side in processes of one thread each, as many as there
    are cores and as fit into a container's memory. Each is stored as soon as it is finished,
    so an interruption loses no other.

    Raises
    ------
    TrainingError
        If a run fails or its process dies.
    DataError, StoreError
        If the data cannot be read, or a run cannot be kept.
    """
    recipes = list(recipes)
    found = find_all(recipes)
    missing = [recipe for recipe, run in found.items() if run is None]
    if missing:
        train_all(missing)
    runs = [found[recipe] or _found(recipe) for recipe in recipes]
    claims.note(runs)
    return runs


def _found(recipe: Recipe) -> Run:
    run = find(recipe)
    if run is None:
        raise TrainingError(
            f"The run {recipe} was trained, and its entry in {STORE.folder} is gone again. "
            "Did something else empty the folder?"
        )
    return run
