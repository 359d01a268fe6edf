"""Best settings of a study: one rate for all seeds, or each seed's own."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from bnlab import studies
from bnlab.studies import Stored
from bnlab.studies.sweeps import SEEDS


@pytest.fixture
def rungs() -> dict[str, dict[float, list[Stored]]]:
    return studies.rungs(studies.load("ladder"))


def test_each_seed_takes_the_rate_that_its_own_validation_images_prefer(
    rungs: dict[str, dict[float, list[Stored]]],
) -> None:
    for by_rate in rungs.values():
        chosen = studies.best_by_seed(by_rate)
        assert tuple(result.recipe.seed for result in chosen) == SEEDS
        for at, result in enumerate(chosen):
            assert result in by_rate[result.recipe.learning_rate]
            of_seed = [
                results[at].final("val_accuracy")
                for results in by_rate.values()
                if not any(one.diverged or one.sensitive for one in results)
            ]
            assert result.final("val_accuracy") == max(of_seed)


def test_no_rate_for_all_is_better_on_the_validation_images(
    rungs: dict[str, dict[float, list[Stored]]],
) -> None:
    for by_rate in rungs.values():
        own, one_for_all = (
            np.mean([result.final("val_accuracy") for result in results])
            for results in (studies.best_by_seed(by_rate), by_rate[studies.best_rate(by_rate)])
        )
        assert own >= one_for_all


def test_a_rate_at_which_rounding_decides_is_chosen_by_nobody(
    rungs: dict[str, dict[float, list[Stored]]],
) -> None:
    by_rate = rungs["Approach one"]
    taken = {result.recipe.learning_rate for result in studies.best_by_seed(by_rate)}
    for rate in taken:
        by_rate[rate] = [dataclasses.replace(one, sensitive=True) for one in by_rate[rate]]
    left = {result.recipe.learning_rate for result in studies.best_by_seed(by_rate)}
    assert left
    assert left.isdisjoint(taken)
    assert studies.best_rate(by_rate) not in taken
