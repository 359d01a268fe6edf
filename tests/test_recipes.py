"""Recipes are the notebook's by default, and the course's are three networks by five seeds."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from bnlab import catalogue, networks, notebook, recipes
from bnlab.recipes import Recipe, is_varied


def test_the_defaults_are_the_notebook_s_but_for_the_epochs() -> None:
    assert dataclasses.asdict(Recipe("baseline", epochs=10)) == {
        "network": "baseline",
        "seed": 42,
        "epochs": 10,
        "batch_size": 32,
        "learning_rate": 1e-3,
        "activation": None,
        "initializer": None,
        "initial_scale": 1.0,
        "layer_norm": False,
        "normalizes": None,
        "standardized": False,
        "hidden_layers": None,
        "weight_decay": 0.0,
        "reshuffle": True,
    }


def test_the_course_trains_each_network_with_five_seeds_42_first() -> None:
    course = recipes.course()
    assert len(set(course)) == len(course) == 5 * len(catalogue.NETWORKS)
    for network in catalogue.NETWORKS:
        assert [recipe.seed for recipe in course if recipe.network == network] == [42, 1, 2, 3, 4]
    assert {recipe.seed for recipe in course[: len(catalogue.NETWORKS)]} == {recipes.PAGE_SEED}
    for recipe in course:
        assert recipe == Recipe(recipe.network, recipe.seed)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"network": "resnet"}, r"no network 'resnet'. Choose one of 'baseline', "),
        ({"seed": -1}, r"between 0 and 2\*\*32 - 1, not -1"),
        ({"seed": 2**32}, r"between 0 and 2\*\*32 - 1, not 4294967296"),
        ({"epochs": 0}, "from 1, not 0 and 32"),
        ({"batch_size": 0}, r"from 1, not \d+ and 0"),
        ({"learning_rate": 0.0}, r"above 0, not 0\.0"),
        ({"learning_rate": -0.1}, r"above 0, not -0\.1"),
        ({"learning_rate": float("nan")}, "above 0, not nan"),
        ({"initial_scale": 0.0}, r"scale of weights is above 0, not 0\.0"),
        ({"activation": "elu"}, r"no activation 'elu' here\. Choose one of 'leaky_relu', "),
        ({"layer_norm": True}, "Baseline has no batch normalization here that layer normalization"),
        ({"normalizes": "some"}, r"no choice 'some' of normalizations\. Choose one of 'all', "),
        ({"normalizes": "hidden"}, "Baseline has no batch normalization of its hidden to keep"),
        (
            {"network": "bn_approach_one", "normalizes": "none", "layer_norm": True},
            "BN approach one has no batch normalization here",
        ),
        ({"hidden_layers": 0}, "at least 1 hidden layer, not 0"),
        ({"weight_decay": -0.1}, r"0 or above, not -0\.1"),
        ({"weight_decay": float("nan")}, "0 or above, not nan"),
        ({"initializer": "ones"}, r"no initializer 'ones' here\. Choose one of 'he_normal', "),
    ],
)
def test_a_recipe_that_cannot_be_trained_is_refused(options: dict[str, Any], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        Recipe(**{"network": "baseline"} | options)


def test_a_recipe_cannot_be_changed_and_says_its_network_and_seed() -> None:
    recipe = Recipe("bn_approach_one", 3)
    assert str(recipe) == "BN approach one, seed 3"
    with pytest.raises(dataclasses.FrozenInstanceError):
        recipe.seed = 4  # type: ignore[misc]


def test_the_network_s_own_activation_and_initializer_make_no_other_recipe() -> None:
    own = Recipe("baseline", activation="leaky_relu", initializer="he_normal")
    assert own == Recipe("baseline")
    assert not is_varied(own)
    assert own.hidden == ("leaky_relu", "he_normal")
    other = Recipe("bn_approach_one", activation="leaky_relu", initializer="he_normal")
    assert is_varied(other)
    assert other.hidden == own.hidden
    assert is_varied(Recipe("baseline", initial_scale=2))
    assert is_varied(Recipe("bn_approach_two", layer_norm=True))
    assert not is_varied(Recipe("baseline", batch_size=8, learning_rate=0.1, epochs=2))


@pytest.mark.parametrize(
    ("network", "normalizes"),
    [("baseline", "none"), ("baseline", "all"), ("bn_approach_one", "all")],
)
def test_all_that_a_network_has_of_normalization_makes_no_other_recipe(
    network: str, normalizes: recipes.Normalizes
) -> None:
    assert Recipe(network, normalizes=normalizes) == Recipe(network)


@pytest.mark.parametrize(
    ("changed", "varies"),
    [
        ({"normalizes": "inputs"}, True),
        ({"standardized": True}, True),
        ({"hidden_layers": 2}, True),
        ({"weight_decay": 0.1}, False),
        ({"reshuffle": False}, False),
    ],
)
def test_what_changes_the_layers_varies_a_network(changed: dict[str, Any], varies: bool) -> None:
    assert is_varied(Recipe("bn_approach_one", **changed)) == varies


def test_a_recipe_says_what_is_not_the_notebook_s() -> None:
    assert str(Recipe("baseline", 3, learning_rate=0.1)) == "Baseline, learning rate 0.1, seed 3"
    varied = Recipe("bn_approach_one", activation="leaky_relu", initial_scale=10)
    assert str(varied) == "BN approach one, leaky_relu, initial weights × 10, seed 42"
    other = Recipe("bn_approach_two", batch_size=8, layer_norm=True)
    assert str(other) == "BN approach two, batches of 8, layer normalization, seed 42"


def test_the_catalogue_begins_with_the_notebook_s_networks() -> None:
    assert catalogue.NOTEBOOK == ("baseline", "bn_approach_one", "bn_approach_two")
    assert tuple(catalogue.NETWORKS)[:3] == catalogue.NOTEBOOK
    for name, network in catalogue.NETWORKS.items():
        assert catalogue.find(name) is network
        assert network.name == name
        assert callable(getattr(networks, name))


def test_an_unknown_network_is_refused_with_the_known_ones() -> None:
    with pytest.raises(
        ValueError, match=r"'vgg'. Choose one of 'baseline', 'bn_approach_one', 'bn_approach_two'\."
    ):
        catalogue.find("vgg")


def test_the_notebook_s_logs_are_those_it_prints() -> None:
    assert list(notebook.LOGS) == ["baseline", "bn_approach_one"]
    for log in notebook.LOGS.values():
        assert {name: len(values) for name, values in log.items()} == {
            "loss": 8,
            "accuracy": 8,
            "val_loss": 8,
            "val_accuracy": 8,
        }
    printed = {
        ("baseline", "loss", 1): 1.2819,
        ("baseline", "accuracy", 1): 0.6229,
        ("baseline", "val_loss", 4): 0.5900,
        ("baseline", "val_accuracy", 7): 0.8304,
        ("baseline", "val_accuracy", 8): 0.8282,
        ("bn_approach_one", "loss", 8): 0.4124,
        ("bn_approach_one", "accuracy", 2): 0.8037,
        ("bn_approach_one", "val_loss", 5): 0.4052,
        ("bn_approach_one", "val_accuracy", 1): 0.8156,
    }
    for (network, metric, epoch), value in printed.items():
        assert notebook.LOGS[network][metric][epoch - 1] == value
