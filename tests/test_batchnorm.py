"""Batch normalization in NumPy, against finite differences and against Keras's layer."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from bnlab import batchnorm, data

EPSILONS = (1e-3, 1e-5)


@pytest.fixture(scope="module")
def batch(images: data.FashionMNIST) -> np.ndarray:
    """Real pixels: many are black in the whole batch, so that epsilon matters."""
    return images.train.pixels[:32].reshape(32, 784)


@pytest.fixture(scope="module")
def parameters() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return a gamma, a beta, and a gradient of the loss by the layer's output."""
    random = np.random.default_rng(0)
    return (
        random.uniform(0.5, 1.5, 784).astype(np.float32),
        random.normal(size=784).astype(np.float32),
        random.normal(size=(32, 784)).astype(np.float32),
    )


def layer(
    gamma: np.ndarray, beta: np.ndarray, epsilon: float, momentum: float = 0.99
) -> layers.BatchNormalization:
    made = layers.BatchNormalization(epsilon=epsilon, momentum=momentum)
    made.build((None, len(gamma)))
    made.gamma.assign(gamma)
    made.beta.assign(beta)
    return made


def relative(ours: np.ndarray, theirs: np.ndarray) -> float:
    return float(np.linalg.norm(ours - theirs) / np.linalg.norm(theirs))


def test_the_constants_are_keras_s_defaults() -> None:
    keras_layer = layers.BatchNormalization()
    assert keras_layer.epsilon == batchnorm.EPSILON
    assert keras_layer.momentum == batchnorm.MOMENTUM


@pytest.mark.parametrize("epsilon", [0.0, 1e-3, 0.1])
@pytest.mark.parametrize("rows", [2, 3, 8])
def test_the_gradients_are_the_slopes(rows: int, epsilon: float) -> None:
    random = np.random.default_rng(rows)
    x, dy = random.normal(3, 2, (rows, 4)), random.normal(size=(rows, 4))
    gamma, beta = random.normal(size=4), random.normal(size=4)
    _, saved = batchnorm.forward(x, gamma, beta, epsilon)
    gradients = batchnorm.backward(dy, saved)
    for place, (value, gradient) in enumerate(zip((x, gamma, beta), gradients, strict=True)):
        slopes = np.empty_like(value)
        for index in np.ndindex(value.shape):
            losses = []
            for step in (1e-5, -1e-5):
                moved = [x.copy(), gamma.copy(), beta.copy()]
                moved[place][index] += step
                losses.append((batchnorm.forward(*moved, epsilon)[0] * dy).sum())
            slopes[index] = (losses[0] - losses[1]) / 2e-5
        # Of two rows without epsilon one is always 1 and the other -1: dx is 0.
        if rows == 2 and epsilon == 0 and place == 0:
            assert np.abs(gradient).max() < 1e-9
        else:
            assert relative(gradient, slopes) < 1e-6


@pytest.mark.parametrize("epsilon", EPSILONS)
def test_training_mode_and_its_gradients_are_keras_s(
    batch: np.ndarray, parameters: tuple[np.ndarray, ...], epsilon: float
) -> None:
    gamma, beta, dy = parameters
    keras_layer = layer(gamma, beta, epsilon)
    inputs = tf.constant(batch)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        outputs = keras_layer(inputs, training=True)
        loss = tf.reduce_sum(outputs * dy)
    theirs = tape.gradient(loss, [inputs, keras_layer.gamma.value, keras_layer.beta.value])
    y, saved = batchnorm.forward(batch.astype(np.float64), gamma, beta, epsilon)
    np.testing.assert_allclose(y, outputs, atol=1e-5)
    for our_gradient, their_gradient in zip(batchnorm.backward(dy, saved), theirs, strict=True):
        assert relative(our_gradient, np.asarray(their_gradient)) < 1e-5


@pytest.mark.parametrize("momentum", [0.99, 0.5])
def test_moving_averages_and_inference_are_keras_s_after_100_steps(
    images: data.FashionMNIST, parameters: tuple[np.ndarray, ...], momentum: float
) -> None:
    gamma, beta, _ = parameters
    keras_layer = layer(gamma, beta, batchnorm.EPSILON, momentum)
    mean, variance = np.zeros(784), np.ones(784)
    for step in range(100):
        batch = images.train.pixels[32 * step : 32 * (step + 1)].reshape(32, 784)
        keras_layer(batch, training=True)
        _, saved = batchnorm.forward(batch.astype(np.float64), gamma, beta)
        mean = batchnorm.update_moving_average(mean, saved.mean, momentum)
        variance = batchnorm.update_moving_average(variance, saved.variance, momentum)
    np.testing.assert_allclose(mean, keras_layer.moving_mean, atol=1e-5)
    np.testing.assert_allclose(variance, keras_layer.moving_variance, atol=1e-5)
    ours = batchnorm.infer(batch, gamma, beta, mean, variance)
    np.testing.assert_allclose(ours, keras_layer(batch, training=False), atol=1e-5)


def test_a_dense_layer_takes_in_the_scaling_before_and_behind_it() -> None:
    random = np.random.default_rng(0)
    x = random.normal(size=(5, 7))
    kernel, bias = random.normal(size=(7, 3)), random.normal(size=3)
    scale, shift = random.normal(size=7), random.normal(size=7)
    before = batchnorm.folded_into_next(scale, shift, kernel, bias)
    np.testing.assert_allclose(x @ before[0] + before[1], (scale * x + shift) @ kernel + bias)
    scale, shift = random.normal(size=3), random.normal(size=3)
    behind = batchnorm.folded_into_previous(kernel, bias, scale, shift)
    np.testing.assert_allclose(x @ behind[0] + behind[1], scale * (x @ kernel + bias) + shift)


def test_a_batch_of_pictures_is_refused_with_the_shape_that_gives_keras_s_answer() -> None:
    pictures = np.random.default_rng(0).normal(2, 3, (5, 4, 4, 3)).astype(np.float32)
    gamma, beta = np.ones(3), np.zeros(3)
    with pytest.raises(
        ValueError, match=r"\(5, 4, 4, 3\). Of pictures .* x.reshape\(-1, channels\)"
    ):
        batchnorm.forward(pictures, gamma, beta)
    ours, _ = batchnorm.forward(pictures.reshape(-1, 3), gamma, beta)
    theirs = layers.BatchNormalization()(pictures, training=True)
    np.testing.assert_allclose(ours.reshape(pictures.shape), theirs, atol=1e-5)
