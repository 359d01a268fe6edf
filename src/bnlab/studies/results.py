"""What a study found: the results of its runs, and which of them the last digit decides."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import statistics
from collections.abc import Iterable, Sequence
from typing import Any

from bnlab.recipes import Recipe
from bnlab.runs import Result
from bnlab.studies.sweeps import Sweep
from evergreen import sources

DIGITS = 6
"""Significant digits that are stored of a measured value."""


def rounded(value: float) -> float:
    """Return a measured value with as many digits as a study stores."""
    return float(f"{value:.{DIGITS}g}")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Stored(Result):
    """A stored run of a study, without its files.

    Attributes
    ----------
    seconds : float
        What it took to train, in one process of one thread.
    machine : str
        Digest of the kind of machine that did, see :func:`bnlab.runs.machine`.
    sensitive : bool
        Whether rounding decides where a run of its setting ends, see :class:`Rounding`.
    """

    seconds: float
    machine: str
    sensitive: bool


@dataclasses.dataclass(frozen=True, kw_only=True)
class Rounding:
    """How a run ends if something is rounded differently.

    Attributes
    ----------
    recipe : Recipe
    kind : str
        What was, see :data:`bnlab.studies.roundings.KINDS`.
    machine : str
        Digest of the kind of machine that trained it.
    diverged : bool
        Whether training ended with a loss that is not finite.
    accuracy, val_accuracy, train_accuracy, test_accuracy : float
        As of a :class:`bnlab.runs.Result` after its last epoch.
    """

    recipe: Recipe
    kind: str
    machine: str
    diverged: bool
    accuracy: float
    val_accuracy: float
    train_accuracy: float
    test_accuracy: float

    def final(self, metric: str) -> float:
        """Return one of the accuracies by its name."""
        return float(getattr(self, metric))


ACCURACIES = ("accuracy", "val_accuracy", "train_accuracy", "test_accuracy")
"""The final metrics that are compared where a run may have been rounded differently."""

LIMIT = 0.01
TIMES = 5
"""A setting is sensitive if rounding decides whether one of its runs diverges, or moves a final
accuracy by more than :data:`LIMIT` and by more than this many times what is between two of its
seeds. What another seed would do too, the spread over seeds shows already."""


def setting(recipe: Recipe) -> Recipe:
    """Return a recipe that stands for its setting, whatever the seed."""
    return dataclasses.replace(recipe, seed=0)


def by_setting(results: Iterable[Stored]) -> dict[Recipe, list[Stored]]:
    """Return results by their setting, both in the order in which they come."""
    found: dict[Recipe, list[Stored]] = {}
    for result in results:
        found.setdefault(setting(result.recipe), []).append(result)
    return found


def sensitive(results: Iterable[Stored], roundings: Iterable[Rounding]) -> frozenset[Recipe]:
    """Return the settings in which rounding decides how a run ends, see :data:`TIMES`."""
    settings = by_setting(results)
    ends: dict[Recipe, list[Stored | Rounding]] = {
        result.recipe: [result] for seeds in settings.values() for result in seeds
    }
    for rounding in roundings:
        ends[rounding.recipe].append(rounding)
    return frozenset(
        one
        for one, seeds in settings.items()
        if any(_decided_by_rounding(ends[result.recipe], seeds) for result in seeds)
    )


def _decided_by_rounding(ends: Sequence[Stored | Rounding], seeds: Sequence[Stored]) -> bool:
    return len({end.diverged for end in ends}) > 1 or any(
        range_of(ends, metric) > max(LIMIT, TIMES * between_seeds(seeds, metric))
        for metric in ACCURACIES
    )


def between_seeds(seeds: Sequence[Stored], metric: str) -> float:
    """Return how far two seeds of a setting are apart in a final metric: the median of all pairs.

    One seed that ends elsewhere than the others does not change it much. Of a single seed it
    is 0.
    """
    pairs = itertools.combinations([seed.final(metric) for seed in seeds], 2)
    return statistics.median([abs(one - other) for one, other in pairs] or [0.0])


def range_of(ends: Iterable[Stored | Rounding], metric: str) -> float:
    """Return how far a final metric is apart at most."""
    values = [end.final(metric) for end in ends]
    return max(values) - min(values)


@dataclasses.dataclass(frozen=True)
class Study:
    """A stored study.

    Attributes
    ----------
    sweep : bnlab.studies.sweeps.Sweep
        The question and the recipes.
    versions : dict of str to str
        The libraries that computed it.
    machines : dict of str to str
        The processors that did, by the digest of their kind, and those of the roundings.
    finished : str
        When its last run was trained: ISO 8601, UTC.
    results : tuple of Stored
        One for each recipe, in their order.
    roundings : tuple of Rounding
        Some of the runs, rounded differently.
    """

    sweep: Sweep
    versions: dict[str, str]
    machines: dict[str, str]
    finished: str
    results: tuple[Stored, ...]
    roundings: tuple[Rounding, ...]

    @functools.cached_property
    def digest(self) -> str:
        """A digest of all its results."""
        return sources.digest(repr(self.results))

    @property
    def networks(self) -> list[str]:
        """The names of its networks, in their order."""
        return list(dict.fromkeys(result.recipe.network for result in self.results))

    def select(self, **chosen: Any) -> list[Stored]:
        """Return the results whose recipes have these values, in the sweep's order.

        Parameters
        ----------
        **chosen
            Fields of :class:`bnlab.recipes.Recipe`; activation and initializer by name, also
            where they are the network's own.

        Raises
        ------
        ValueError
            If there are none.
        """

        def fits(recipe: Recipe) -> bool:
            fields = dataclasses.asdict(recipe)
            fields["activation"], fields["initializer"] = recipe.hidden
            return chosen.items() <= fields.items()

        found = [result for result in self.results if fits(result.recipe)]
        if not found:
            raise ValueError(f"The study {self.sweep.name} has no run with {chosen}.")
        return found
