"""The rungs of the ladder: what comes between the baseline and both approaches."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence

from bnlab.recipes import Recipe
from bnlab.studies.files import StudyError
from bnlab.studies.results import Stored, Study, setting
from bnlab.studies.sweeps import LADDER

Rungs = dict[str, dict[float, list[Stored]]]
"""Results by learning rate, of each rung by its title."""


def rungs(study: Study) -> Rungs:
    """Return the results of a study of the ladder, rung by rung from the baseline."""
    found: Rungs = {}
    for title, chosen in LADDER.items():
        by_rate = found.setdefault(title, {})
        for result in study.results:
            recipe = result.recipe
            rung = Recipe(**chosen, epochs=recipe.epochs, learning_rate=recipe.learning_rate)
            if setting(recipe) == setting(rung):
                by_rate.setdefault(recipe.learning_rate, []).append(result)
    return found


def best_rate(by_rate: Mapping[float, Sequence[Stored]]) -> float:
    """Return the learning rate with the best mean validation accuracy.

    Rates at which a run diverged, or at which rounding decides how a run ends, are left out.
    """
    usable = [
        rate
        for rate, results in by_rate.items()
        if not any(result.diverged or result.sensitive for result in results)
    ]
    return max(
        usable,
        key=lambda rate: statistics.mean(result.final("val_accuracy") for result in by_rate[rate]),
    )


def second_best_rate(by_rate: Mapping[float, Sequence[Stored]]) -> float:
    """Return the learning rate that :func:`best_rate` would choose if the best were not there."""
    best = best_rate(by_rate)
    return best_rate({rate: results for rate, results in by_rate.items() if rate != best})


def again(study: Study, results: Sequence[Stored]) -> list[Stored]:
    """Return the runs of a setting in another study: those of these results, with its own seeds.

    Parameters
    ----------
    study : Study
        One whose seeds had no part in the choice of the setting, such as ``best_rungs``.
    results : sequence of Stored
        Of one setting, such as a rung's at its :func:`best_rate`.

    Raises
    ------
    StudyError
        If the study does not have that setting: another one has become the best.
    """
    (chosen,) = {setting(result.recipe) for result in results}
    found = [result for result in study.results if setting(result.recipe) == chosen]
    if not found:
        name = study.sweep.name
        raise StudyError(
            f"The study {name} has no runs of the setting that {results[0].study} found best now: "
            f"{results[0].recipe}. Name it in bnlab/studies/sweeps.py, and train what is missing "
            f"with `python -m bnlab.studies --add {name}`."
        )
    return found
