"""How far apart networks are over several seeds: with an interval, and its test."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy import stats

from bnlab.runs.values import Result

CONFIDENCE = 0.95
"""With which an interval holds the true mean."""


class Difference(NamedTuple):
    """A mean difference over pairs of runs; as text, with all that it rests on.

    Attributes
    ----------
    mean, low, high : float
        The mean and both ends of its interval: in points where accuracies are compared.
    p : float
        The probability of a mean at least so far from 0 if the true one were 0.
    pairs : int
        How many pairs of runs, each of one seed; of independent samples, the size of the first.
    unit : str
        ``" points"`` or nothing.
    others : int or None
        The size of the second sample, where it is another.
    """

    mean: float
    low: float
    high: float
    p: float
    pairs: int
    unit: str
    others: int | None = None

    def __str__(self) -> str:
        p = f"p = {self.p:.3f}" if self.p >= 0.0005 else "p < 0.001"
        return (
            f"{self.mean:.2f}{self.unit} ({CONFIDENCE:.0%} interval {self.low:.2f} to "
            f"{self.high:.2f}, {p}, {self.pairs}"
            + (" seeds)" if self.others is None else f" and {self.others} seeds)")
        )


def paired(
    ones: Sequence[Result], others: Sequence[Result], metric: str = "test_accuracy"
) -> Difference:
    """Compare runs seed by seed: with the same seed they have the same batches.

    The interval and the test are Student's for paired samples: they take the differences for
    independent and about normally distributed. Source: Student (1908), "The probable error
    of a mean", Biometrika 6(1), 1-25.

    Parameters
    ----------
    ones, others : sequence of Result
        In the same order of seeds.
    metric : str
        As for :meth:`bnlab.runs.Result.final`.

    Raises
    ------
    ValueError
        If the seeds are not the same, or there are fewer than two.
    """
    seeds = [result.recipe.seed for result in ones]
    if seeds != [result.recipe.seed for result in others] or len(set(seeds)) < 2:
        raise ValueError(
            "Runs are compared seed by seed: give both networks the same seeds, at least two, "
            f"in the same order. Here are {seeds} and {[r.recipe.seed for r in others]}."
        )
    unit = " points" if metric.endswith("accuracy") else ""
    a, b = ([_final(result, metric) for result in group] for group in (ones, others))
    return of_values(a, b, unit)


def _final(result: Result, metric: str) -> float:
    """Return a final metric, an accuracy in points."""
    return (100 if metric.endswith("accuracy") else 1) * result.final(metric)


def interaction(
    first: tuple[Sequence[Result], Sequence[Result]],
    second: tuple[Sequence[Result], Sequence[Result]],
    metric: str = "test_accuracy",
) -> Difference:
    """Compare two leads seed by seed: by how much the first is larger than the second.

    That one lead can be told from 0 and another cannot does not yet make them different. This
    is the comparison that does. Source: Gelman and Stern (2006), "The difference between
    'significant' and 'not significant' is not itself statistically significant", The American
    Statistician 60(4), 328-331.

    Parameters
    ----------
    first, second : pair of sequence of Result
        Those that lead, and those that they lead, as for :func:`paired`.
    metric : str
        As for :func:`paired`.

    Raises
    ------
    ValueError
        As of :func:`paired`.
    """
    unit = paired(*first, metric).unit
    paired(*second, metric)  # refuses runs of other seeds
    one, other = (
        [_final(a, metric) - _final(b, metric) for a, b in zip(*pair, strict=True)]
        for pair in (first, second)
    )
    return of_values(one, other, unit)


def welch(ones: Sequence[float], others: Sequence[float], unit: str = "") -> Difference:
    """Compare values as independent samples, whose variances may differ.

    It makes no use of the seeds that they share. Source: Welch (1947), "The generalization of
    'Student's' problem when several different population variances are involved", Biometrika
    34(1-2), 28-35.

    Parameters
    ----------
    ones, others : sequence of float
        At least two each.
    unit : str
        Follows the mean, in the text.
    """
    return _found(stats.ttest_ind(ones, others, equal_var=False), ones, others, unit)


def of_values(ones: Sequence[float], others: Sequence[float], unit: str = "") -> Difference:
    """Compare values of the same seeds, in the same order, as :func:`paired` does.

    Parameters
    ----------
    ones, others : sequence of float
        At least two each, and as many.
    unit : str
        Follows the mean, in the text.
    """
    return _found(stats.ttest_rel(ones, others), ones, others, unit)


def _found(test: Any, ones: Sequence[float], others: Sequence[float], unit: str) -> Difference:
    """Return what a test of SciPy's has found of values that it was given."""
    low, high = test.confidence_interval(CONFIDENCE)
    of = float(low), float(high), float(test.pvalue), len(ones), unit
    if len(ones) != len(others):
        return Difference(float(np.mean(ones) - np.mean(others)), *of, len(others))
    return Difference(float((np.array(ones) - np.array(others)).mean()), *of)
