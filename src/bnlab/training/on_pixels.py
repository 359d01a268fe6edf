"""A normalization that stands on the data takes its gradients from two products, not three.

With ``y = gamma * xhat + beta`` and ``z = y @ kernel``, let ``dz`` be the gradient of ``z``,
``m = xhat.T @ dz`` and ``s`` the sum of ``dz`` over the batch. Then the gradients are

- of the kernel, ``gamma[:, None] * m + beta[:, None] * s``,
- of gamma, the sums of the rows of ``kernel * m``,
- of beta, ``kernel @ s``.

Automatic differentiation forms ``dz @ kernel.T`` besides, the gradient of ``y``, which is as
large as the forward product. Nothing below the pixels wants it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bnlab import quiet  # noqa: F401  (loads TensorFlow before Keras would)

# isort: split

import keras
import tensorflow as tf
from keras import layers


def forward(model: keras.Sequential) -> Callable[[tf.Tensor], tf.Tensor]:
    """Return a model's pass in training mode, with those gradients where it has such a pair.

    Parameters
    ----------
    model : keras.Sequential
        Built. Any structure but the pair of batch normalization on the data and a dense layer
        behind it is called as it is.

    Returns
    -------
    callable
        From images to the model's outputs.
    """
    first = next(
        (at for at, layer in enumerate(model.layers) if not _only_prepares(layer)),
        len(model.layers),
    )
    pair = model.layers[first : first + 2]
    if not _is_covered(pair):
        return lambda images: model(images, training=True)
    normalization, dense = pair
    before = model.layers[:first]
    behind = keras.Sequential([layers.Input((dense.units,)), *model.layers[first + 2 :]])

    def in_training_mode(images: tf.Tensor) -> tf.Tensor:
        for layer in before:
            images = layer(images)
        return behind(dense.activation(_train(normalization, dense, images)), training=True)

    return in_training_mode


def _only_prepares(layer: keras.Layer) -> bool:
    """Tell whether a layer does to the data what no training changes."""
    return type(layer) in (layers.Flatten, layers.Normalization)


def _is_covered(pair: list[keras.Layer]) -> bool:
    if list(map(type, pair)) != [layers.BatchNormalization, layers.Dense]:
        return False
    normalization, dense = pair
    return (
        normalization.trainable
        and dense.trainable
        and normalization.center
        and normalization.scale
        and len(normalization.input.shape) == 2
        and dense.kernel.shape == (normalization.gamma.shape[0], dense.units)
    )


def _train(
    normalization: layers.BatchNormalization, dense: layers.Dense, pixels: tf.Tensor
) -> tf.Tensor:
    """Return what the dense layer gives before its activation, and renew the moving averages."""
    mean, variance = tf.nn.moments(pixels, axes=[0])
    for moving, of_batch in (
        (normalization.moving_mean, mean),
        (normalization.moving_variance, variance),
    ):
        momentum = normalization.momentum
        moving.assign(moving * momentum + of_batch * (1.0 - momentum))
    xhat = (pixels - mean) * tf.math.rsqrt(variance + normalization.epsilon)
    outputs = product(xhat, normalization.gamma.value, normalization.beta.value, dense.kernel.value)
    return outputs + dense.bias.value if dense.use_bias else outputs


@tf.custom_gradient
def product(
    xhat: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor, kernel: tf.Tensor
) -> tuple[tf.Tensor, Callable[..., tuple[Any, ...]]]:
    """Return ``(gamma * xhat + beta) @ kernel``, whose gradients of xhat are never formed.

    Parameters
    ----------
    xhat : tf.Tensor
        Float, shape (batch, inputs): what no gradient is wanted of.
    gamma, beta : tf.Tensor
        Shape (inputs,).
    kernel : tf.Tensor
        Shape (inputs, units).

    Returns
    -------
    tf.Tensor
        Shape (batch, units).
    """

    def gradients(of_outputs: tf.Tensor) -> tuple[Any, ...]:
        products = tf.matmul(xhat, of_outputs, transpose_a=True)
        sums = tf.reduce_sum(of_outputs, axis=0)
        # As a product, since XLA adds up the rows of a matrix one number at a time.
        of_gamma = tf.linalg.matvec(kernel * products, tf.ones_like(sums))
        of_kernel = gamma[:, None] * products + beta[:, None] * sums
        return None, of_gamma, tf.linalg.matvec(kernel, sums), of_kernel

    return tf.matmul(gamma * xhat + beta, kernel), gradients
