"""Finished runs in the store, each under its key."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path

from bnlab.recipes import Recipe
from bnlab.runs.keys import key, keys
from bnlab.runs.values import FINAL, METRICS, Run
from evergreen.store import Store

STORE = Store("runs")


def find(recipe: Recipe) -> Run | None:
    """Return a run from the store, or None where it has not been trained yet."""
    return find_all([recipe])[recipe]


def find_all(recipes: Iterable[Recipe]) -> dict[Recipe, Run | None]:
    """Return the run of each recipe, or None where it has not been trained yet."""
    recipes = list(recipes)
    found = zip(recipes, keys(recipes), strict=True)  # which reads the code once for all
    return {recipe: _read(recipe, run_key) for recipe, run_key in found}


def _read(recipe: Recipe, run_key: str) -> Run | None:
    folder = STORE.find(run_key)
    if folder is None:
        return None
    record = json.loads((folder / "run.json").read_text("utf-8"))
    return Run(
        recipe=recipe,
        key=run_key,
        history={metric: tuple(record["history"][metric]) for metric in METRICS},
        **{metric: record[metric] for metric in FINAL},
        provenance=json.loads((folder / "provenance.json").read_text("utf-8")),
        folder=folder,
    )


def keep(recipe: Recipe, write: Callable[[Path], None]) -> None:
    """Put a run into the store whose files another process has made, unless it is there.

    Parameters
    ----------
    recipe : Recipe
    write : callable
        Given an empty folder, writes the run's files into it.
    """
    STORE.make(key(recipe), write)
