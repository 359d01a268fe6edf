"""Whether runs that were made again are those that are stored, but for rounding."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence

import numpy as np

from bnlab.recipes import Recipe

ERROR_RATE = 1e-6
"""The share of builds that may fail by chance where rounding does to a run what another seed
does; it does less."""

LEAST = 0.005
"""A difference up to this is never an error. Accuracies are counts of images, which Student's
distribution does not know: small differences can all be equal by chance."""


class MismatchError(Exception):
    """What is stored and what was made again differ. The message says where."""


def compare(
    metric: str, seeds: Sequence[Recipe], there: np.ndarray, here: np.ndarray, rate: float
) -> float:
    """Compare what is stored of a setting's seeds with what they give now.

    Both are taken for samples of the same normal distribution. Under that assumption each of
    the tests has the given error rate: Student's tests of the mean difference, for paired
    samples, which is sharp where rounding does little, and for independent ones; and of each
    stored run beside all the others, Student's test for one outlier (externally studentized).
    The last finds the single wrong number that widens the limits of the others.

    Returns
    -------
    float
        The largest difference of the means that is no error.
    """
    for place, recipe in enumerate(seeds):
        others = np.concatenate([np.delete(there, place), here])
        if abs(there[place] - others.mean()) > outlier_limit(others, rate):
            raise MismatchError(
                f"{recipe} has {there[place]:.6g} as its stored {metric}, and trained again "
                f"{here[place]:.6g}, which lies too far from the setting's other seeds to be "
                "rounding"
            )
    allowed = mean_limit(there, here, rate)
    if abs(there.mean() - here.mean()) > allowed:
        raise MismatchError(
            f"the {len(seeds)} runs like {seeds[0]} have a mean {metric} of {there.mean():.6g} as "
            f"stored, and trained again {here.mean():.6g}, while rounding explains a difference "
            f"of {allowed:.2g}"
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
