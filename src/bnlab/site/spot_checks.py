"""Stored studies are spot-checked: some of their runs are trained again.

Every build has the course's own runs, and compares them wherever a study holds them. The weekly
build trains the runs of one more setting, with all its seeds.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from bnlab import recipes
from bnlab.recipes import Recipe
from bnlab.runs import FINAL, METRICS, Result, Run
from bnlab.studies import Stored, Study, StudyError
from bnlab.studies.files import STRICT
from bnlab.studies.results import by_setting, rounded, setting
from evergreen import sources

ERROR_RATE = 1e-6
"""The share of builds that may fail by chance where rounding does to a run what another seed
does; it does less."""

COMPARED = ("val_accuracy", "test_accuracy")
"""The final metrics that are compared if another kind of machine trained the stored runs."""

LEAST = 0.005
"""A difference up to this is never an error. Accuracies are counts of images, which Student's
distribution does not know: small differences can all be equal by chance."""


class SpotCheck(NamedTuple):
    """The stored runs of a setting beside the same runs, trained again.

    Attributes
    ----------
    studies : list of str
        Those that hold these runs.
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
    settings = {
        one: [result.recipe for result in seeds]
        for study in studies
        for one, seeds in by_setting(study.results).items()
        if one not in course and not _hangs_by_rounding(seeds)
    }
    content = sources.digest(week, *(study.digest for study in studies))
    order = sorted(settings, key=lambda one: sources.digest(content, repr(one)))
    return settings[order[0]] if order else []


def check(
    studies: Sequence[Study], trained: Sequence[Run], error_rate: float = ERROR_RATE
) -> list[SpotCheck]:
    """Compare runs with what the studies have stored of them.

    On the kind of machine that made a stored run, and with the same libraries, every digit
    must repeat. Elsewhere the seeds of a setting are compared together, see :func:`_compare`.

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
        except _MismatchError as mismatch:
            raise StudyError(
                f"The stored study {names[0]} is not what its code gives: {mismatch}. Restore "
                f"its file from the repository, or renew it with `make study STUDY={names[0]}`, "
                "and commit it."
            ) from None
        there, here = (
            float(np.mean([side.test_accuracy for side in sides]))
            for sides in ([pair.stored for pair in pairs], [pair.run for pair in pairs])
        )
        found.append(SpotCheck(names, pairs[0].stored.recipe, there, here, allowed))
    return found


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


class _MismatchError(Exception):
    """What is stored and what was trained again differ. The message says where."""


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
    return _compare(pairs, rate) if _comparable(pairs) else None


def _check_digits(stored: Stored, run: Run) -> None:
    for (metric, there), (_, here) in zip(_values(stored), _values(run), strict=True):
        here = rounded(here)
        if not (there == here or (math.isnan(there) and not math.isfinite(here))):
            raise _MismatchError(
                f"{stored.recipe} has {there:.6g} as its stored {metric.replace('_', ' ')}, and "
                f"trained again {here:.6g}, while every digit repeats on this kind of machine"
            )


def _values(result: Result) -> list[tuple[str, float]]:
    """Return every measured value with its metric."""
    history = ((metric, value) for metric in METRICS for value in result.history[metric])
    return [*history, *((metric, result.final(metric)) for metric in FINAL)]


def _compare(pairs: Sequence[_Pair], rate: float) -> float:
    """Compare a setting's stored runs with those trained again, and return what is allowed.

    Both are taken for samples of the same normal distribution. Under that assumption each of
    the tests has the given error rate: Student's tests of the mean difference, for paired
    samples, which is sharp where rounding does little, and for independent ones; and of each
    stored run beside all the others, Student's test for one outlier (externally studentized).
    The last finds the single wrong number that widens the limits of the others.

    Returns
    -------
    float
        The largest mean difference in test accuracy that is no error.
    """
    for metric in COMPARED:
        there = np.array([stored.final(metric) for stored, _, _ in pairs])
        here = np.array([run.final(metric) for _, run, _ in pairs])
        for place, (stored, run, _) in enumerate(pairs):
            others = np.concatenate([np.delete(there, place), here])
            if abs(there[place] - others.mean()) > outlier_limit(others, rate):
                raise _MismatchError(
                    f"{stored.recipe} has {stored.final(metric):.6g} as its stored "
                    f"{metric.replace('_', ' ')}, and trained again {run.final(metric):.6g}, "
                    "which lies too far from the setting's other seeds to be rounding"
                )
        allowed = mean_limit(there, here, rate)
        if abs(there.mean() - here.mean()) > allowed:
            raise _MismatchError(
                f"the {len(pairs)} runs like {pairs[0].stored.recipe} have a mean "
                f"{metric.replace('_', ' ')} of {there.mean():.6g} as stored, and trained again "
                f"{here.mean():.6g}, while rounding explains a difference of {allowed:.2g}"
            )
    return allowed


def mean_limit(ones: np.ndarray, others: np.ndarray, rate: float) -> float:
    """Return how far the means of two samples are apart by chance.

    Parameters
    ----------
    ones, others : numpy.ndarray
        Shape (n,), n at least 2: in pairs, normally distributed around the same mean.
    rate : float
        How often either of two tests may find a larger difference.
    """
    size = len(ones)
    of_pairs = _quantile(rate, size - 1) * float((ones - others).std(ddof=1))
    both = float(ones.var(ddof=1) + others.var(ddof=1))
    apart = _quantile(rate, 2 * size - 2) * math.sqrt(both)
    return max(LEAST, min(of_pairs, apart) / math.sqrt(size))


def outlier_limit(others: np.ndarray, rate: float) -> float:
    """Return how far from the mean of some values another one of their kind lies by chance."""
    size = len(others)
    spread = float(others.std(ddof=1)) * math.sqrt(1 + 1 / size)
    return max(LEAST, _quantile(rate, size - 1) * spread)


@functools.cache
def _quantile(rate: float, freedom: int) -> float:
    """Return what Student's t with some degrees of freedom exceeds, either way, at a rate."""
    # It takes half a second to load, and where every digit repeats nothing needs it.
    from scipy import stats

    return float(stats.t.isf(rate / 2, freedom))
