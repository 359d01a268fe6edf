"""Stored studies are spot-checked: each build trains a few of their runs again.

Which ones depends on the commit, so in time all have their turn but those that take many
more steps than the course's own. These, which every build has, are compared too wherever a
study holds them.
"""

from __future__ import annotations

import dataclasses
import math
import statistics
from collections.abc import Sequence
from typing import NamedTuple

from bnlab import recipes
from bnlab.recipes import Recipe
from bnlab.runs import FINAL, METRICS, Result, Run
from bnlab.studies import Stored, Study, StudyError, rounded
from evergreen import sources

SAMPLE = 2
"""Stored runs that a build trains again, besides the course's own."""

STEPS = 10 * 1_719
"""Runs with more steps than the course's own are too dear for a build."""

ALLOWED = 0.01
"""The least difference in final accuracy that another kind of machine is allowed."""

SPREADS = 5
"""Such a machine rounds in other places, which may do to a run what another seed does: its
final accuracies may differ by so many standard deviations over the seeds."""


class SpotCheck(NamedTuple):
    """A stored run beside the same run, trained again.

    Attributes
    ----------
    study : str
    recipe : Recipe
    stored, again : float
        Test accuracies.
    difference : float
        The largest between any two of their accuracies, of all epochs.
    exact : bool
        Whether all that is stored is the same, digit for digit.
    same_machine : bool
        Whether this machine is of the kind that made the stored run. Then it must be exact.
    """

    study: str
    recipe: Recipe
    stored: float
    again: float
    difference: float
    exact: bool
    same_machine: bool


def sample(studies: Sequence[Study], commit: str | None) -> list[Recipe]:
    """Choose the recipes that a build of a commit trains again.

    Parameters
    ----------
    studies : sequence of Study
    commit : str or None
        Where git does not know it, the choice is always the same.
    """
    stored = {
        result.recipe: result.key
        for study in studies
        for result in study.results
        if result.recipe.epochs * result.steps <= STEPS
    }
    for recipe in recipes.course():
        stored.pop(recipe, None)
    return sorted(stored, key=lambda recipe: sources.digest(commit or "", stored[recipe]))[:SAMPLE]


def check(studies: Sequence[Study], trained: Sequence[Run]) -> list[SpotCheck]:
    """Compare runs with what the studies have stored of them.

    Raises
    ------
    StudyError
        If a stored run is not what was trained now: on the kind of machine that made it in
        any digit, elsewhere by more than another seed makes.
    """
    return [
        _checked(study, result, run)
        for run in trained
        for study in studies
        for result in study.results
        if result.recipe == run.recipe
    ]


def _checked(study: Study, stored: Stored, run: Run) -> SpotCheck:
    found = SpotCheck(
        study.sweep.name,
        run.recipe,
        stored.test_accuracy,
        run.test_accuracy,
        max(
            abs(there - here)
            for metric, there, here in _pairs(stored, run)
            if metric.endswith("accuracy")
        ),
        all(_same(there, rounded(here)) for _, there, here in _pairs(stored, run)),
        stored.machine == run.provenance["machine"],
    )
    if found.same_machine:
        if not found.exact:
            raise _error(found, "every digit repeats on this kind of machine")
    else:
        for metric in ("val_accuracy", "test_accuracy"):
            allowed = _allowed(study, stored, metric)
            if not abs(stored.final(metric) - run.final(metric)) <= allowed:
                raise _error(found, f"{metric} may differ by {allowed:.4f} on another machine")
    return found


def _pairs(stored: Result, run: Result) -> list[tuple[str, float, float]]:
    """Return every measured value of two runs side by side, with its metric."""
    return [
        *(
            (metric, there, here)
            for metric in METRICS
            for there, here in zip(stored.history[metric], run.history[metric], strict=True)
        ),
        *((metric, stored.final(metric), run.final(metric)) for metric in FINAL),
    ]


def _same(one: float, other: float) -> bool:
    return one == other or not (math.isfinite(one) or math.isfinite(other))


def _allowed(study: Study, stored: Stored, metric: str) -> float:
    # Of the other seeds: a wrong number must not widen its own limits.
    others = [
        result.final(metric)
        for result in study.results
        if result.recipe != stored.recipe
        and dataclasses.replace(result.recipe, seed=stored.recipe.seed) == stored.recipe
    ]
    return max(ALLOWED, SPREADS * statistics.stdev(others))


def _error(found: SpotCheck, rule: str) -> StudyError:
    return StudyError(
        f"The stored study {found.study} is not what its code gives: {found.recipe} has "
        f"{found.stored:.6g} as its stored test accuracy, and trained again {found.again:.6g}; "
        f"its accuracies are up to {found.difference:.2g} apart, while {rule}. "
        f"Renew it with `make study STUDY={found.study}`, and commit the file."
    )
