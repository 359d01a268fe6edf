"""Networks without their batch normalization: the same predictions, or a clear refusal."""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np
import pytest
from keras import layers

from bnlab import arithmetic, data, folding, networks, runs


@pytest.mark.parametrize("network", ["bn_approach_one", "bn_approach_two"])
def test_every_trained_network_predicts_the_same_without_batch_normalization(
    network: str, course: dict[str, list[runs.Run]], images: data.FashionMNIST
) -> None:
    for run in course[network]:
        model = run.model()
        before = model.get_weights()
        plain = folding.fold(model)
        assert plain.count_params() == arithmetic.totals(arithmetic.count("baseline")).total
        assert not any(isinstance(layer, layers.BatchNormalization) for layer in plain.layers)
        probabilities = plain.predict(images.test.pixels, batch_size=1000, verbose=0)
        assert np.array_equal(probabilities.argmax(axis=1), run.test_predictions)
        np.testing.assert_allclose(probabilities, run.test_probabilities, atol=1e-4)
        assert all(map(np.array_equal, before, model.get_weights()))


def test_a_network_without_batch_normalization_stays_as_it_is(images: data.FashionMNIST) -> None:
    model = networks.baseline()
    plain = folding.fold(model)
    pixels = images.test.pixels[:100]
    np.testing.assert_allclose(plain(pixels), model(pixels), atol=1e-6)


@pytest.mark.parametrize(
    "stack",
    [
        lambda: [layers.BatchNormalization(), layers.ReLU(), layers.Dense(3)],
        lambda: [layers.BatchNormalization(), layers.LeakyReLU(), layers.Dense(3)],
        lambda: [layers.Dense(3), layers.Dropout(0.5)],
    ],
    ids=["relu", "leaky-relu", "dropout"],
)
def test_a_layer_that_cannot_be_folded_past_is_named(
    stack: Callable[[], list[layers.Layer]],
) -> None:
    model = keras.Sequential([layers.Input((4,)), *stack()])
    with pytest.raises(ValueError, match=rf"'{model.layers[1].name}' is not one"):
        folding.fold(model)


def test_a_last_batch_normalization_is_refused() -> None:
    model = keras.Sequential(
        [layers.Input((4,)), layers.Dense(3, activation="relu"), layers.BatchNormalization()]
    )
    with pytest.raises(ValueError, match="no dense layer"):
        folding.fold(model)


def test_two_in_a_row_are_both_folded() -> None:
    random = np.random.default_rng(0)
    model = keras.Sequential(
        [
            layers.Input((4,)),
            layers.BatchNormalization(),
            layers.BatchNormalization(),
            layers.Dense(3, use_bias=False),
            layers.BatchNormalization(),
            layers.BatchNormalization(),
        ]
    )
    model.set_weights([random.uniform(0.5, 2, w.shape) for w in model.get_weights()])
    inputs = random.normal(size=(6, 4)).astype(np.float32)
    np.testing.assert_allclose(folding.fold(model)(inputs), model(inputs), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "stack",
    [
        lambda: [layers.BatchNormalization(scale=False), layers.Dense(3)],
        lambda: [layers.Dense(3), layers.BatchNormalization(center=False)],
        lambda: [layers.BatchNormalization(scale=False, center=False), layers.Dense(3)],
        lambda: [layers.BatchNormalization(), layers.Flatten(), layers.Dense(3)],
        lambda: [layers.Dense(5), layers.BatchNormalization(), layers.Flatten(), layers.Dense(3)],
        lambda: [layers.Dense(5, "relu"), layers.BatchNormalization(), layers.Dense(3)],
        lambda: [
            layers.Dense(5),
            layers.Activation("tanh"),
            layers.BatchNormalization(),
            layers.Flatten(),
            layers.Dense(3),
        ],
        lambda: [
            layers.Flatten(),
            layers.Dense(5),
            layers.Activation("linear"),
            layers.Flatten(),
            layers.BatchNormalization(),
            layers.ReLU(),
        ],
        lambda: [layers.BatchNormalization(), layers.Activation("linear"), layers.Dense(3)],
    ],
    ids=[
        *("no-scale", "no-center", "neither", "flattened", "dense-and-flattened", "activated"),
        *("activation-and-flattened", "behind-identities", "before-an-identity"),
    ],
)
def test_what_lies_between_two_dense_layers_is_folded_past(
    stack: Callable[[], list[layers.Layer]],
) -> None:
    random = np.random.default_rng(0)
    model = keras.Sequential([layers.Input((2, 3, 4)), *stack()])
    model.set_weights([random.uniform(0.5, 2, w.shape) for w in model.get_weights()])
    plain = folding.fold(model)
    assert not any(isinstance(layer, layers.BatchNormalization) for layer in plain.layers)
    inputs = random.normal(size=(6, 2, 3, 4)).astype(np.float32)
    np.testing.assert_allclose(plain(inputs), model(inputs), rtol=1e-4, atol=1e-4)


def test_another_axis_than_the_last_is_refused() -> None:
    model = keras.Sequential(
        [layers.Input((2, 3)), layers.BatchNormalization(axis=1), layers.Dense(3)]
    )
    with pytest.raises(ValueError, match="normalizes axis 1, and only the last one, 2"):
        folding.fold(model)
