"""The study of depth compares networks that differ in their beginning alone."""

from __future__ import annotations

import itertools

import pytest

from bnlab import studies
from bnlab.studies import sweeps
from bnlab.studies.results import Study


@pytest.fixture(scope="module")
def depth() -> Study:
    return studies.load("depth")


def test_each_run_has_one_beginning(depth: Study) -> None:
    begun = [result for results in studies.starts(depth).values() for result in results]
    assert len(begun) == len(depth.results)
    assert {result.recipe for result in begun} == {result.recipe for result in depth.results}


@pytest.mark.parametrize("weights", ["He", "Half of He"])
def test_with_batch_normalization_and_without_a_network_begins_alike(
    depth: Study, weights: str
) -> None:
    begun = studies.starts(depth)
    for one, other in zip(begun[weights], begun[f"{weights}, BN"], strict=True):
        plain, normal = one.recipe.structure, other.recipe.structure
        assert (plain.normalization, normal.normalization) == ("none", "before activation")
        assert (plain.hidden, plain.initializer) == (normal.hidden, normal.initializer)
        assert (plain.normalizes_inputs, normal.normalizes_inputs) == (False, False)
        for field in ("seed", "epochs", "learning_rate", "initial_scale", "standardized"):
            assert getattr(one.recipe, field) == getattr(other.recipe, field)


def test_every_depth_has_the_same_rates_but_for_the_largest(depth: Study) -> None:
    he = studies.starts(depth)["He"]
    *rates, largest = sorted({result.recipe.learning_rate for result in he})
    found = {(r.recipe.hidden_layers, r.recipe.learning_rate, r.recipe.seed) for r in he}
    assert found == {
        *itertools.product(sweeps.DEPTHS, rates, sweeps.SEEDS),
        *itertools.product(sweeps.DEPTHS[:-1], [largest], sweeps.SEEDS),
    }
