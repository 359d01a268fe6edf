"""Batch normalization over ghost batches: parts of a batch, each with its own mean and variance.

So the noise of small batches can be had in large ones, and the one be varied without the other.
Source: Hoffer, Hubara and Soudry (2017), https://arxiv.org/abs/1705.08741, their algorithm 1.
"""

from __future__ import annotations

from typing import Any

from bnlab import quiet  # noqa: F401  (loads TensorFlow before Keras would)

# isort: split

import keras
import tensorflow as tf
from keras import layers


class GhostBatchNormalization(layers.BatchNormalization):
    """Batch normalization of shape (batch, units), over parts of the batch in training mode.

    The moving averages take the mean of the parts' statistics, once a step. A batch that does
    not divide into such parts, as the last one of an epoch may, is normalized as a whole.

    Parameters
    ----------
    size : int
        Images in a part.
    **options
        As of ``keras.layers.BatchNormalization``.
    """

    def __init__(self, size: int, **options: Any) -> None:
        super().__init__(**options)
        self.size = size

    def call(self, inputs: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Normalize a batch of shape (batch, units)."""
        batch, units = inputs.shape
        if not training or batch is None or batch % self.size:
            return super().call(inputs, training=training)
        parts = tf.reshape(inputs, (batch // self.size, self.size, units))
        mean, variance = tf.nn.moments(parts, axes=[1], keepdims=True)
        for moving, of_parts in ((self.moving_mean, mean), (self.moving_variance, variance)):
            of_batch = tf.reduce_mean(of_parts, axis=[0, 1])
            moving.assign(moving * self.momentum + of_batch * (1.0 - self.momentum))
        normalized = (parts - mean) * tf.math.rsqrt(variance + self.epsilon)
        return tf.reshape(normalized * self.gamma + self.beta, (batch, units))


def with_ghosts(model: keras.Sequential, size: int) -> keras.Sequential:
    """Return a copy of a network, not compiled, whose batch normalizations have ghost batches.

    Parameters
    ----------
    model : keras.Sequential
        Built; its weights are copied.
    size : int
        Images in a ghost batch.
    """
    copied = [
        GhostBatchNormalization(size, epsilon=layer.epsilon, momentum=layer.momentum)
        if isinstance(layer, layers.BatchNormalization)
        else type(layer).from_config(layer.get_config())
        for layer in model.layers
    ]
    ghost = keras.Sequential([layers.Input(model.input_shape[1:]), *copied], name=model.name)
    ghost.set_weights(model.get_weights())
    return ghost
