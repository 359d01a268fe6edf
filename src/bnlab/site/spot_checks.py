"""Stored studies are spot-checked: some of their runs are trained again.

Every build has the course's own runs, and compares them wherever a study holds them. The weekly
build trains the runs of one more setting, with all its seeds, and repeats one setting of what was
measured beside the studies.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from bnlab import recipes, runs
from bnlab.recipes import Recipe
from bnlab.runs import FINAL, METRICS, Result, Run
from bnlab.site.rounding import ERROR_RATE, MismatchError, compare
from bnlab.studies import MEASUREMENTS, Measured, Measurement, Stored, Study, StudyError
from bnlab.studies.files import STRICT
from bnlab.studies.results import by_setting, rounded, setting
from evergreen import sources

COMPARED = ("val_accuracy", "test_accuracy")
"""The final metrics that are compared if another kind of machine trained the stored runs."""


class SpotCheck(NamedTuple):
    """The stored runs of a setting beside the same runs, trained again.

    Attributes
    ----------
    studies : list of str
        Those that hold these runs, or what was measured of them.
    recipe : Recipe
        That of the first seed.
    stored, again : float
        Mean test accuracies.
    allowed : float or None
        How far apart these may be. On the kind of machine that made the stored runs that is 0,
        and every stored digit has repeated. None where rounding decides how a run ends, so
        that they were not compared.
    """

    studies: list[str]
    recipe: Recipe
    stored: float
    again: float
    allowed: float | None


class _Pair(NamedTuple):
    """A stored run and the same run, trained again; exact if nothing should round differently."""

    stored: Stored
    run: Run
    exact: bool


def sample(studies: Sequence[Study], week: str | None) -> list[Recipe]:
    """Choose the recipes that a weekly build trains again: one setting with all its seeds.

    Settings in which rounding decides how a run ends are left out, and the course's own.

    Parameters
    ----------
    studies : sequence of Study
    week : str or None
        That of a weekly build, so that in time every setting has its turn. Another build
        trains nothing again.
    """
    if not week:
        return []
    course = set(map(setting, recipes.course()))
    settings = {  # once, if two studies have the same seeds of it
        tuple(result.recipe for result in seeds)
        for study in studies
        for one, seeds in by_setting(study.results).items()
        if one not in course and not _hangs_by_rounding(seeds)
    }
    content = sources.digest(week, *(study.digest for study in studies))
    first = min(settings, key=lambda seeds: sources.digest(content, repr(seeds)), default=())
    return list(first)


def sample_measured(
    studies: Sequence[Study], week: str | None
) -> tuple[Measurement, list[Measured]] | None:
    """Choose what a weekly build measures again: one setting with all its seeds, if any.

    Settings in which rounding decides how a run ends are left out.

    Parameters
    ----------
    studies : sequence of Study
    week : str or None
        As for :func:`sample`.
    """
    if not week:
        return None
    steady = {
        (study.sweep.name, one)
        for study in studies
        for one, seeds in by_setting(study.results).items()
        if not _hangs_by_rounding(seeds)
    }
    settings = {
        (measurement.name, one): (measurement, list(measured))
        for measurement in MEASUREMENTS
        if any(study.sweep.name == measurement.study for study in studies)
        for one, measured in itertools.groupby(
            measurement.load(), key=lambda measured: setting(measured.recipe)
        )
        if (measurement.study, one) in steady
    }
    order = sorted(settings, key=lambda one: sources.digest(week, repr(one)))
    return settings[order[0]] if order else None


def check(
    studies: Sequence[Study], trained: Sequence[Run], error_rate: float = ERROR_RATE
) -> list[SpotCheck]:
    """Compare runs with what the studies have stored of them.

    On the kind of machine that made a stored run, and with the same libraries, every digit
    must repeat. Elsewhere the seeds of a setting are compared together, see
    :func:`bnlab.site.rounding.compare`.

    Raises
    ------
    StudyError
        If a stored run is not what was trained now.
    """
    groups = _pairs(studies, trained)
    tests = sum(len(COMPARED) * (2 + len(pairs)) for _, pairs in groups if _comparable(pairs))
    found = []
    for names, pairs in groups:
        try:
            allowed = _check_setting(pairs, error_rate / max(tests, 1))
        except MismatchError as mismatch:
            raise _wrong(names[0], mismatch) from None
        there, here = (
            float(np.mean([side.test_accuracy for side in sides]))
            for sides in ([pair.stored for pair in pairs], [pair.run for pair in pairs])
        )
        found.append(SpotCheck(names, pairs[0].stored.recipe, there, here, allowed))
    return found


def check_measured(
    study: str,
    stored: Sequence[Measured],
    again: Sequence[Mapping[str, Any]],
    error_rate: float = ERROR_RATE,
) -> SpotCheck:
    """Compare what is measured of a setting's runs with what is stored, as :func:`check` does.

    Parameters
    ----------
    study : str
        The study that has the runs.
    stored : sequence of Measured
        One for each seed.
    again : sequence of mapping
        What was measured now, in the same order.
    error_rate : float

    Raises
    ------
    StudyError
        If that is not what is stored.
    """
    there, here = (
        {name: np.array([one[name] for one in side]) for name in side[0]}
        for side in ([_flat(one.accuracy) for one in stored], list(map(_flat, again)))
    )
    shown, seeds = stored[0].shown, [one.recipe for one in stored]
    libraries = sources.versions(runs.LIBRARIES)
    exact = stored[0].machine == runs.machine() and all(
        stored[0].versions.get(name) == libraries.get(name) for name in STRICT
    )
    allowed = 0.0
    try:
        for name in there:
            if not exact:
                rate = error_rate / (len(there) * (2 + len(seeds)))
                limit = compare(name, seeds, there[name], here[name], rate)
                allowed = max(allowed, limit)
            elif (differ := np.flatnonzero(there[name] != here[name])).size:
                place = differ[0]
                raise MismatchError(
                    f"{seeds[place]} has {there[name][place]:.6g} as its stored {name}, and "
                    f"measured again {here[name][place]:.6g}, while every digit repeats on this "
                    "kind of machine"
                )
    except MismatchError as mismatch:
        raise _wrong(study, f"{shown}: {mismatch}") from None
    before, now = (
        float(np.mean([values for name, values in side.items() if "test" in name]))
        for side in (there, here)
    )
    return SpotCheck([f"{study}, {shown}"], seeds[0], before, now, allowed)


def _flat(accuracies: Mapping[str, Any], above: str = "") -> dict[str, float]:
    """Return accuracies by name, also where they are by averages and then by part."""
    found: dict[str, float] = {}
    for name, value in accuracies.items():
        full = f"{above} {name}".strip().replace("_", " ")
        found |= _flat(value, full) if isinstance(value, Mapping) else {full: float(value)}
    return found


def _wrong(study: str, mismatch: object) -> StudyError:
    return StudyError(
        f"The stored study {study} is not what its code gives: {mismatch}. Restore its file from "
        f"the repository, or renew it with `make study STUDY={study}`, and commit it."
    )


def _pairs(studies: Sequence[Study], trained: Sequence[Run]) -> list[tuple[list[str], list[_Pair]]]:
    """Return the stored runs of each setting with those trained again, and their studies.

    Studies may hold the same runs. What they store of them is then compared once.
    """
    again = {run.recipe: run for run in trained}
    groups: dict[tuple[object, ...], tuple[list[str], list[_Pair]]] = {}
    for study in studies:
        for seeds in by_setting(study.results).values():
            if all(result.recipe in again for result in seeds):
                pairs = [
                    _Pair(result, run, _rounds_alike(study, result, run))
                    for result in seeds
                    for run in [again[result.recipe]]
                ]
                same = tuple((p.stored.recipe, p.exact, repr(_values(p.stored))) for p in pairs)
                groups.setdefault(same, ([], pairs))[0].append(study.sweep.name)
    return list(groups.values())


def _rounds_alike(study: Study, stored: Stored, run: Run) -> bool:
    here = run.provenance["versions"]
    libraries = all(study.versions.get(name) == here.get(name) for name in STRICT)
    return libraries and stored.machine == run.provenance["machine"]


def _hangs_by_rounding(seeds: Sequence[Stored]) -> bool:
    # Of diverged runs there is nothing to compare but their number.
    return any(result.sensitive or result.diverged for result in seeds)


def _comparable(pairs: Sequence[_Pair]) -> bool:
    """Return whether a setting's seeds can only be compared together, and can be."""
    exact = all(pair.exact for pair in pairs)
    return not exact and not _hangs_by_rounding([pair.stored for pair in pairs])


def _check_setting(pairs: Sequence[_Pair], rate: float) -> float | None:
    """Compare the runs of a setting, and return what is allowed, see :class:`SpotCheck`."""
    for stored, run, exact in pairs:
        if exact:
            _check_digits(stored, run)
    if all(pair.exact for pair in pairs):
        return 0.0
    if not _comparable(pairs):
        return None
    for metric in COMPARED:
        there, here = (
            np.array([side.final(metric) for side in sides])
            for sides in ([pair.stored for pair in pairs], [pair.run for pair in pairs])
        )
        seeds = [pair.stored.recipe for pair in pairs]
        allowed = compare(metric.replace("_", " "), seeds, there, here, rate)
    return allowed


def _check_digits(stored: Stored, run: Run) -> None:
    for (metric, there), (_, here) in zip(_values(stored), _values(run), strict=True):
        here = rounded(here)
        if not (there == here or (math.isnan(there) and not math.isfinite(here))):
            raise MismatchError(
                f"{stored.recipe} has {there:.6g} as its stored {metric.replace('_', ' ')}, and "
                f"trained again {here:.6g}, while every digit repeats on this kind of machine"
            )


def _values(result: Result) -> list[tuple[str, float]]:
    """Return every measured value with its metric."""
    history = ((metric, value) for metric in METRICS for value in result.history[metric])
    return [*history, *((metric, result.final(metric)) for metric in FINAL)]
