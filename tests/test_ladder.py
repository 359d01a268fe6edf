"""Best settings of a study, and the same settings with seeds that did not choose them."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from bnlab import studies
from bnlab.studies import Stored
from bnlab.studies.results import by_setting, setting
from bnlab.studies.sweeps import BEST_OF_DEPTH, DEPTHS, NEW_SEEDS, SECOND_BEST, SEEDS


@pytest.fixture
def rungs() -> dict[str, dict[float, list[Stored]]]:
    return studies.rungs(studies.load("ladder"))


def test_the_best_rate_is_that_which_the_validation_images_prefer_on_average(
    rungs: dict[str, dict[float, list[Stored]]],
) -> None:
    for by_rate in rungs.values():
        means = {
            rate: np.mean([result.final("val_accuracy") for result in results])
            for rate, results in by_rate.items()
            if not any(result.diverged or result.sensitive for result in results)
        }
        assert means[studies.best_rate(by_rate)] == max(means.values())


def test_the_second_best_rate_is_next_in_mean_validation_accuracy(
    rungs: dict[str, dict[float, list[Stored]]],
) -> None:
    means = {
        rate: np.mean([result.final("val_accuracy") for result in results])
        for rate, results in rungs["Approach one"].items()
    }
    _, second, *_ = sorted(means, key=means.__getitem__, reverse=True)
    assert studies.second_best_rate(rungs["Approach one"]) == second


def test_a_rate_at_which_rounding_decides_is_not_chosen(
    rungs: dict[str, dict[float, list[Stored]]],
) -> None:
    by_rate = rungs["Approach one"]
    taken = studies.best_rate(by_rate)
    by_rate[taken] = [dataclasses.replace(one, sensitive=True) for one in by_rate[taken]]
    assert studies.best_rate(by_rate) != taken


@pytest.fixture(scope="module")
def best() -> list[list[Stored]]:
    """The settings that are best, of the ladder and of the depths."""
    of_ladder = [
        by_rate[studies.best_rate(by_rate)]
        for by_rate in studies.rungs(studies.load("ladder")).values()
    ]
    for title in SECOND_BEST:
        by_rate = studies.rungs(studies.load("ladder"))[title]
        of_ladder.append(by_rate[studies.second_best_rate(by_rate)])
    of_depths = []
    for title in BEST_OF_DEPTH:
        results = studies.starts(studies.load("depth"))[title]
        for layers in DEPTHS:
            by_rate: dict[float, list[Stored]] = {}
            for result in results:
                if result.recipe.hidden_layers == layers:
                    by_rate.setdefault(result.recipe.learning_rate, []).append(result)
            of_depths.append(by_rate[studies.best_rate(by_rate)])
    return of_ladder + of_depths


def test_the_settings_that_are_best_and_no_others_are_trained_with_new_seeds(
    best: list[list[Stored]],
) -> None:
    trained = [
        seeds
        for name in ("best_rungs", "best_depths")
        for seeds in by_setting(studies.load(name).results).values()
    ]
    assert [setting(seeds[0].recipe) for seeds in trained] == [
        setting(seeds[0].recipe) for seeds in best
    ]
    for seeds in trained:
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
    with pytest.raises(studies.StudyError, match=r"rate 0\.01.*--add best_rungs"):
        studies.again(new, by_rate[0.01])
