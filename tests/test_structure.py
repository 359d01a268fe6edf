"""The catalogue says of a network what its function builds, or nothing is trained."""

from __future__ import annotations

import dataclasses
from typing import Any

import keras
import pytest
from keras import layers

from bnlab import networks
from bnlab.catalogue import NETWORKS, Network
from bnlab.training import structure

DROPPING = dataclasses.replace(NETWORKS["baseline"], hidden=(20,), dropout=0.25)


def dropping() -> keras.Sequential:
    return keras.Sequential(
        [
            layers.Input((28, 28)),
            layers.Flatten(),
            layers.Dense(20, kernel_initializer="he_normal"),
            layers.LeakyReLU(negative_slope=0.3),
            layers.Dropout(0.25),
            layers.Dense(10, activation="softmax"),
        ]
    )


@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)
def test_the_catalogue_says_what_each_network_is(network: Network) -> None:
    structure.check(network, getattr(networks, network.name)())


def test_dropout_is_part_of_what_it_says() -> None:
    structure.check(DROPPING, dropping())


@pytest.mark.parametrize(
    "other",
    [
        {"hidden": (300,)},
        {"hidden": (300, 101)},
        {"hidden": (300, 100, 50)},
        {"activation": "leaky_relu"},
        {"initializer": "he_normal"},
        {"normalization": "none"},
        {"normalization": "after activation"},
        {"normalizes_inputs": False},
        {"bias": True},
        {"dropout": 0.5},
    ],
    ids=str,
)
def test_an_entry_that_says_anything_else_is_refused(other: dict[str, Any]) -> None:
    entry = dataclasses.replace(NETWORKS["bn_approach_two"], **other)
    with pytest.raises(structure.StructureError, match=r"'bn_approach_two' catalogue\.py says "):
        structure.check(entry, networks.bn_approach_two())


def test_a_layer_that_the_catalogue_has_no_word_for_is_named() -> None:
    model = dropping()
    model.add(layers.GaussianNoise(0.1))
    with pytest.raises(structure.StructureError, match=r"builds .*softmax, GaussianNoise"):
        structure.check(DROPPING, model)
