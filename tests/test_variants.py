"""A varied network differs from the course's in what the recipe says, and in nothing else."""

from __future__ import annotations

import functools
import itertools
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers
from support import few

from bnlab import arithmetic, catalogue, data, training
from bnlab.catalogue import NETWORKS
from bnlab.recipes import Recipe
from bnlab.training import variants

COMBINATIONS = list(
    itertools.product(NETWORKS, catalogue.ACTIVATIONS, catalogue.INITIALIZERS, (1.0, 3.0))
)


def built(recipe: Recipe) -> keras.Sequential:
    keras.utils.clear_session()
    keras.utils.set_random_seed(recipe.seed)
    return training.build(recipe)


@functools.cache
def seen(recipe: Recipe) -> keras.Sequential:
    """Return a network to look at: the tests that change nothing of it share it."""
    return built(recipe)


def kernels(model: keras.Sequential) -> list[np.ndarray]:
    return [layer.kernel.numpy() for layer in model.layers if isinstance(layer, layers.Dense)]


def activations(model: keras.Sequential) -> list[str]:
    """Name every activation between the first layer and the last, wherever it is written."""
    found = []
    for layer in model.layers[:-1]:
        if isinstance(layer, layers.LeakyReLU):
            assert layer.negative_slope == 0.3
            found.append("leaky_relu")
        elif isinstance(layer, layers.Activation | layers.Dense):
            found.append(layer.get_config()["activation"])
    return [name for name in found if name != "linear"]


def test_there_is_a_layer_for_each_activation_of_the_catalogue() -> None:
    assert list(variants.ACTIVATIONS) == list(catalogue.ACTIVATIONS)


@pytest.mark.parametrize(("name", "activation", "initializer", "scale"), COMBINATIONS)
def test_a_network_has_the_recipe_s_activation_and_initializer(
    name: str, activation: str, initializer: str, scale: float
) -> None:
    recipe = Recipe(name, activation=activation, initializer=initializer, initial_scale=scale)
    model = seen(recipe)
    assert activations(model) == [activation] * len(NETWORKS[name].hidden)
    *hidden, output = (x for x in model.layers if isinstance(x, layers.Dense))
    for layer in hidden:
        drawn = layer.get_config()["kernel_initializer"]["class_name"].lower()
        assert drawn == initializer.replace("_", "")
    assert output.get_config()["kernel_initializer"]["class_name"] == "GlorotUniform"
    assert output.get_config()["activation"] == "softmax"


@pytest.mark.parametrize(("name", "activation", "initializer", "scale"), COMBINATIONS)
def test_a_varied_network_keeps_its_normalization_its_parameters_and_its_name(
    name: str, activation: str, initializer: str, scale: float
) -> None:
    recipe = Recipe(name, activation=activation, initializer=initializer, initial_scale=scale)
    model, original = seen(recipe), seen(Recipe(name))
    assert model.name == original.name == name
    assert model.count_params() == arithmetic.totals(arithmetic.count(name)).total
    assert [v.path for v in model.variables] == [v.path for v in original.variables]
    place = catalogue.find(name).normalization
    kinds = [type(layer).__name__ for layer in model.layers]
    for index, kind in enumerate(kinds):
        if kind == "Dense" and index < len(kinds) - 1 and place != "none":
            behind = kinds[index + 1 :]
            # An activation inside the dense layer comes first, too.
            inside = activations(keras.Sequential([model.layers[index], model.layers[-1]]))
            first = "activation" if inside or behind[0] != "BatchNormalization" else "normalization"
            assert first == ("normalization" if place == "before activation" else "activation")


@pytest.mark.parametrize("name", NETWORKS)
def test_exchanging_the_activation_alone_keeps_the_initial_weights(name: str) -> None:
    for activation in catalogue.ACTIVATIONS:
        ours = kernels(built(Recipe(name, seed=3, activation=activation)))
        for one, other in zip(ours, kernels(seen(Recipe(name, seed=3))), strict=True):
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("name", NETWORKS)
def test_the_scale_multiplies_every_dense_layer_s_first_weights(name: str) -> None:
    ours = kernels(built(Recipe(name, seed=3, initial_scale=10)))
    for one, other in zip(ours, kernels(seen(Recipe(name, seed=3))), strict=True):
        np.testing.assert_array_equal(one, np.float32(10) * other)


def test_the_initial_weights_depend_on_the_seed_alone_and_not_on_what_was_built_before() -> None:
    recipe = Recipe("baseline", seed=5, initializer="glorot_uniform")
    first = kernels(built(recipe))
    built(Recipe("bn_approach_one", initial_scale=2))
    for one, other in zip(first, kernels(built(recipe)), strict=True):
        np.testing.assert_array_equal(one, other)
    other_seed = kernels(built(Recipe("baseline", seed=6, initializer="glorot_uniform")))
    assert not np.array_equal(first[0], other_seed[0])


def kinds(model: keras.Sequential) -> list[str]:
    """Name the layers that a recipe may leave out."""
    shown = {
        "Normalization": "standardize",
        "BatchNormalization": "BN",
        "LayerNormalization": "LN",
        "Dense": "dense",
    }
    return [shown[kind] for kind in (type(x).__name__ for x in model.layers) if kind in shown]


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"normalizes": "inputs"}, "BN dense dense dense"),
        ({"normalizes": "hidden"}, "dense BN dense BN dense"),
        ({"normalizes": "hidden", "standardized": True}, "standardize dense BN dense BN dense"),
        ({"normalizes": "none"}, "dense dense dense"),
        ({"standardized": True}, "standardize BN dense BN dense BN dense"),
        ({"hidden_layers": 3}, "BN dense BN dense BN dense BN dense"),
    ],
)
@pytest.mark.parametrize("name", ["bn_approach_one", "bn_approach_two"])
def test_a_network_has_what_the_recipe_leaves_it(
    name: str, changed: dict[str, Any], expected: str
) -> None:
    recipe = Recipe(name, **changed)
    model = built(recipe)
    assert " ".join(kinds(model)) == expected
    counted = arithmetic.totals(arithmetic.count(recipe.structure))
    assert model.count_params() == counted.total
    assert sum(np.size(w) for w in model.trainable_weights) == counted.trainable


def test_standardized_pixels_have_the_mean_0_and_the_variance_1(
    images: data.FashionMNIST,
) -> None:
    model = built(Recipe("baseline", standardized=True))
    entering = keras.Sequential(model.layers[:2])
    pixels = entering(images.train.pixels).numpy().astype(np.float64)
    np.testing.assert_allclose(pixels.mean(axis=0), 0, atol=1e-4)
    np.testing.assert_allclose(pixels.var(axis=0), 1, rtol=1e-3)


@pytest.mark.parametrize("name", ["bn_approach_one", "bn_approach_two"])
def test_layer_normalization_stands_where_batch_normalization_stood(name: str) -> None:
    ours, original = built(Recipe(name, layer_norm=True)), built(Recipe(name))
    assert kinds(ours) == [place.replace("BN", "LN") for place in kinds(original)]
    # The same gamma and beta are learned; there are no moving averages.
    assert [w.shape for w in ours.trainable_weights] == [
        w.shape for w in original.trainable_weights
    ]
    assert not ours.non_trainable_weights
    for one, other in zip(kernels(ours), kernels(original), strict=True):
        np.testing.assert_array_equal(one, other)
    epsilons = {
        layer.epsilon
        for model in (ours, original)
        for layer in model.layers
        if isinstance(layer, layers.BatchNormalization | layers.LayerNormalization)
    }
    assert len(epsilons) == 1


def test_training_starts_from_the_varied_weights(
    images: data.FashionMNIST, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few.use(tmp_path, few.write(tmp_path, images), monkeypatch)
    recipe = Recipe("baseline", epochs=1, learning_rate=1e-12, initial_scale=3, activation="relu")
    for trained, first in zip(
        kernels(training.train(recipe).model), kernels(built(recipe)), strict=True
    ):
        np.testing.assert_allclose(trained, first, atol=1e-6)
