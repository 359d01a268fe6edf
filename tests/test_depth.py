"""Gradients in NumPy are Keras's, and what a deep network begins with is as it is said to be."""

from __future__ import annotations

import numpy as np
import pytest

from bnlab import batchnorm, catalogue, data, depth, gradients, networks, plain, probes, training
from bnlab.plain import Dense, Layer, Normalization
from bnlab.recipes import Recipe

# isort: split

import keras


@pytest.fixture(scope="module")
def batch(images: data.FashionMNIST) -> data.Images:
    return depth.standardized(images.train, 128)


def kernel_of(layer: Layer) -> np.ndarray:
    assert isinstance(layer, Dense)
    return layer.kernel


def hidden_of(network: list[Layer]) -> list[Dense]:
    return [layer for layer in network if isinstance(layer, Dense)][:-1]


@pytest.mark.parametrize("network", catalogue.NOTEBOOK)
def test_gradients_are_those_of_keras(network: str, images: data.FashionMNIST) -> None:
    keras.utils.set_random_seed(3)
    model = getattr(networks, network)()
    pixels, labels = images.train.pixels[:64], images.train.labels[:64]
    expected = probes.gradient(model, pixels, labels)
    found = gradients.of_batch(
        plain.layers(model), pixels.reshape(64, -1).astype(np.float64), labels
    )
    assert found.loss == pytest.approx(expected.loss, rel=1e-5)
    own = [np.concatenate([np.ravel(part) for part in parts]) for parts in found.gradients if parts]
    for mine, keras_own in zip(own, expected.by_layer.values(), strict=True):
        assert np.linalg.norm(mine - keras_own) < 1e-4 * max(float(np.linalg.norm(mine)), 1e-2)


@pytest.mark.parametrize("normalized", [False, True])
def test_a_step_goes_down_by_what_the_gradient_says(normalized: bool, batch: data.Images) -> None:
    network = depth.begin(3, normalized=normalized, slope=0.3)
    start = gradients.of_batch(network, *batch)
    rate = 1e-7
    moved = gradients.descended(network, start.gradients, [rate] * len(network))
    fall = start.loss - gradients.of_batch(moved, *batch).loss
    square = sum((part**2).sum() for parts in start.gradients for part in parts)
    assert fall == pytest.approx(rate * square, rel=1e-3)


def test_a_step_with_weight_decay_is_that_of_keras(images: data.FashionMNIST) -> None:
    recipe = Recipe(
        "bn_approach_two", normalizes="hidden", learning_rate=0.1, weight_decay=0.01, seed=3
    )
    model = training.build(recipe)
    before = plain.layers(model)
    pixels, labels = images.train.pixels[:64], images.train.labels[:64]
    flat = pixels.reshape(64, -1).astype(np.float64)
    model.train_on_batch(pixels, labels)
    step = gradients.of_batch(before, flat, labels).gradients
    rates, decays = [0.1] * len(before), [0.01] * len(before)
    after = gradients.descended(before, step, rates, decays)
    for mine, theirs, parts in zip(after, plain.layers(model), step, strict=True):
        for value, expected in zip(mine[: len(parts)], theirs, strict=False):
            assert np.allclose(np.asarray(value), np.asarray(expected), rtol=0, atol=1e-5)


def test_a_loss_is_finite_where_a_probability_is_none(batch: data.Images) -> None:
    with np.errstate(all="raise", under="ignore"):
        passed = gradients.of_batch(depth.begin(20, scale=1.5), *batch)
    assert passed.outputs[-1].min() == 0
    assert 100 < passed.loss < np.inf


def test_a_network_that_does_not_end_in_a_softmax_has_no_loss(batch: data.Images) -> None:
    with pytest.raises(ValueError, match="last layer is its only softmax"):
        gradients.of_batch(depth.begin(1)[:-1], *batch)


def test_pixels_are_standardized_as_a_recipe_does_it(images: data.FashionMNIST) -> None:
    model = training.build(Recipe("baseline", standardized=True))
    layer = next(x for x in model.layers if isinstance(x, keras.layers.Normalization))
    expected = np.asarray(layer(images.train.pixels[:50].reshape(50, -1)))
    assert np.allclose(depth.standardized(images.train, 50).pixels, expected, atol=1e-4)


def test_first_weights_are_of_the_size_that_is_chosen_with_normalization_or_without() -> None:
    plain_one, normal = depth.begin(3, scale=0.5), depth.begin(3, scale=0.5, normalized=True)
    for one, other in zip(hidden_of(plain_one), hidden_of(normal), strict=True):
        assert (one.kernel == other.kernel).all()
        assert one.kernel.std() == pytest.approx(0.5 * np.sqrt(2 / len(one.kernel)), rel=0.05)
    assert sum(isinstance(layer, Normalization) for layer in normal) == 3
    assert (kernel_of(depth.begin(3)[0]) != kernel_of(depth.begin(3, seed=1)[0])).any()


def test_through_measures_each_hidden_layer_once(batch: data.Images) -> None:
    network = depth.begin(4, normalized=True)
    through = depth.through(network, batch)
    assert [len(values) for values in through] == [4, 4, 4]
    values = batch.pixels
    for layer in network[:3]:
        values = plain.outputs(layer, values, training=True)
    assert through.activations[0] == pytest.approx(np.sqrt((values**2).mean()))


@pytest.mark.parametrize("slope", [0.0, 0.3, 1.0])
def test_gradients_grow_through_normalized_layers_by_what_the_formula_says(
    slope: float, batch: data.Images
) -> None:
    slopes = np.mean(
        [
            np.log(depth.through(depth.begin(20, normalized=True, slope=slope, seed=s), batch)[1])
            for s in range(3)
        ],
        axis=0,
    )
    measured = np.exp((slopes[0] - slopes[-1]) / (len(slopes) - 1))
    assert measured == pytest.approx(depth.growth(slope), abs=0.04)


def test_of_relu_the_growth_is_that_of_the_paper() -> None:
    assert depth.growth() ** 2 == pytest.approx(np.pi / (np.pi - 1))


@pytest.mark.parametrize("normalized", [False, True])
def test_hidden_weights_are_all_but_those_of_the_output_layer(normalized: bool) -> None:
    network = depth.begin(3, normalized=normalized)
    found = [layer for layer, yes in zip(network, depth.hidden(network), strict=True) if yes]
    assert [kernel_of(layer).shape for layer in found] == [(784, 100), (100, 100), (100, 100)]


def test_scaling_takes_the_hidden_layers_and_leaves_the_output_layer() -> None:
    network = depth.begin(2, normalized=True)
    larger = depth.scaled(network, 3.0)
    for one, other in zip(hidden_of(network), hidden_of(larger), strict=True):
        assert np.array_equal(other.kernel, 3.0 * one.kernel)
    assert larger[-2:] == network[-2:]


@pytest.mark.parametrize("factor", [0.1, 10.0])
def test_without_epsilon_a_scale_changes_no_answer_and_divides_the_gradient(
    factor: float, batch: data.Images
) -> None:
    network = depth.begin(3, normalized=True, epsilon=0.0)
    one = gradients.of_batch(network, *batch)
    other = gradients.of_batch(depth.scaled(network, factor), *batch)
    assert np.abs(other.outputs[-2] - one.outputs[-2]).max() < 1e-11
    for place in np.flatnonzero(depth.hidden(network)):
        mine, theirs = one.gradients[place][0], factor * other.gradients[place][0]
        assert np.linalg.norm(theirs - mine) < 1e-11 * np.linalg.norm(mine)
        # A step at right angles to the weights, so that it can only lengthen them.
        kernel = kernel_of(network[place])
        along = (mine * kernel).sum()
        assert abs(along) < 1e-12 * np.linalg.norm(mine) * np.linalg.norm(kernel)


def test_keras_adds_the_same_epsilon() -> None:
    assert keras.layers.BatchNormalization().epsilon == batchnorm.EPSILON
