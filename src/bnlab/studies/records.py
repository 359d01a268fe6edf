"""The records of a study's file: results as JSON knows them."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

from bnlab.recipes import Recipe
from bnlab.runs import FINAL, METRICS, Run
from bnlab.studies.results import ACCURACIES, Rounding, Stored, rounded

_ALWAYS = ("network", "seed", "epochs", "batch_size", "learning_rate")
"""What a stored recipe says of itself, and does not leave to the defaults of the day."""


def stored(study: str, run: Run) -> Stored:
    """Return a run as a study stores it."""
    return Stored(
        study=study,
        recipe=run.recipe,
        key=run.key,
        history={metric: tuple(map(rounded, run.history[metric])) for metric in METRICS},
        **{metric: rounded(run.final(metric)) for metric in FINAL},
        seconds=round(run.provenance["seconds"], 2),
        machine=run.provenance["machine"],
        sensitive=False,
    )


def of_result(result: Stored) -> dict[str, Any]:
    """Return the record of a stored run."""
    return {
        "recipe": _recipe(result.recipe),
        "key": result.key,
        **{metric: [_plain(value) for value in result.history[metric]] for metric in METRICS},
        **{metric: _plain(result.final(metric)) for metric in FINAL},
        "seconds": result.seconds,
        "machine": result.machine,
    }


def result(study: str, record: dict[str, Any]) -> Stored:
    """Return the stored run that a record tells of."""
    return Stored(
        study=study,
        recipe=Recipe(**record["recipe"]),
        key=str(record["key"]),
        history={metric: tuple(map(_value, record[metric])) for metric in METRICS},
        **{metric: _value(record[metric]) for metric in FINAL},
        seconds=float(record["seconds"]),
        machine=str(record["machine"]),
        sensitive=False,
    )


def of_rounding(rounding: Rounding) -> dict[str, Any]:
    """Return the record of a rounding."""
    return dataclasses.asdict(rounding) | {"recipe": _recipe(rounding.recipe)}


def rounding(record: dict[str, Any]) -> Rounding:
    """Return the rounding that a record tells of."""
    return Rounding(
        recipe=Recipe(**record["recipe"]),
        kind=str(record["kind"]),
        machine=str(record["machine"]),
        diverged=bool(record["diverged"]),
        **{metric: float(record[metric]) for metric in ACCURACIES},
    )


def _recipe(recipe: Recipe) -> dict[str, Any]:
    defaults = Recipe(recipe.network)
    return {
        field: value
        for field, value in dataclasses.asdict(recipe).items()
        if field in _ALWAYS or value != getattr(defaults, field)
    }


def _plain(value: float) -> float | None:
    """Return a value as JSON knows it, which has no word for what is no number."""
    return value if math.isfinite(value) else None


def _value(stored: float | None) -> float:
    return math.nan if stored is None else float(stored)
