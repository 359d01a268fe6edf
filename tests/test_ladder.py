"""Best settings of a study, and the same settings with seeds that did not choose them."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from bnlab import studies
from bnlab.studies import Stored
from bnlab.studies.results import by_setting, setting
from bnlab.studies.sweeps import NEW_SEEDS, SEEDS


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


def test_the_rates_that_are_best_and_no_others_are_trained_with_new_seeds(
    rungs: dict[str, dict[float, list[Stored]]],
) -> None:
    best = [by_rate[studies.best_rate(by_rate)] for by_rate in rungs.values()]
    trained = by_setting(studies.load("best_rungs").results)
    assert list(trained) == [setting(seeds[0].recipe) for seeds in best]
    for seeds in trained.values():
        assert tuple(result.recipe.seed for result in seeds) == NEW_SEEDS
    assert not set(NEW_SEEDS) & set(SEEDS)


def test_a_setting_is_found_again_with_new_seeds_and_another_is_refused(
    rungs: dict[str, dict[float, list[Stored]]],
) -> None:
    new = studies.load("best_rungs")
    by_rate = rungs["Approach one"]
    found = studies.again(new, by_rate[studies.best_rate(by_rate)])
    assert {setting(result.recipe) for result in found} == {
        setting(by_rate[studies.best_rate(by_rate)][0].recipe)
    }
    assert [result.recipe.seed for result in found] == list(NEW_SEEDS)
    other = max(rate for rate in by_rate if rate != studies.best_rate(by_rate))
    with pytest.raises(studies.StudyError, match=f"rate {other:g}.*--add best_rungs"):
        studies.again(new, by_rate[other])
