"""A network's training and evaluation as TensorFlow graphs, each compiled once.

Like Keras itself, they take no notice of a change of the model until ``model.compile`` is
called again. Compiling takes as long as two epochs, so the last few graphs are kept.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

from bnlab import quiet  # noqa: F401  (loads TensorFlow before Keras would)
from bnlab.training import on_pixels

# isort: split

import keras
import tensorflow as tf

KEPT = 4
"""Networks whose graphs are kept."""

Sums = tuple[tf.Tensor, tf.Tensor]
"""The sum of the losses and the number of right answers, both float32."""


def evaluation(model: keras.Sequential) -> Callable[..., tuple[tf.Tensor, ...]]:
    """Return a function from images and labels to their :data:`Sums` and the probabilities.

    It computes in inference mode. It is not compiled by XLA: a few large products gain
    nothing by it.
    """
    return _evaluation(model, _compilation(model))


def training(
    model: keras.Sequential, batch_size: int
) -> tuple[Callable[..., Sums], Callable[..., Sums]]:
    """Return functions that train on full batches, and on a last, smaller one.

    Both take the images, the labels, the order of those to train on and the learning rate,
    and return :data:`Sums`.
    """
    return _training(model, _compilation(model), batch_size)


def _compilation(model: keras.Sequential) -> keras.metrics.Metric:
    """Return an object that each call of ``model.compile`` makes anew: the loss's metric."""
    return model.metrics[0]


def _losses(probabilities: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    return keras.losses.sparse_categorical_crossentropy(labels, probabilities)


def _sums(probabilities: tf.Tensor, labels: tf.Tensor) -> Sums:
    right = tf.argmax(probabilities, axis=-1, output_type=tf.int32) == labels
    return (
        tf.reduce_sum(_losses(probabilities, labels)),
        tf.reduce_sum(tf.cast(right, tf.float32)),
    )


@functools.lru_cache(KEPT)
def _evaluation(
    model: keras.Sequential, _compiled: keras.metrics.Metric
) -> Callable[..., tuple[tf.Tensor, ...]]:
    # The loss belongs in the same graph as the softmax: there Keras finds the logits, and
    # elsewhere it clips the probabilities.
    def evaluate(pixels: tf.Tensor, labels: tf.Tensor) -> tuple[tf.Tensor, ...]:
        probabilities = model(pixels, training=False)
        return *_sums(probabilities, labels), probabilities

    images = tf.TensorSpec([None, *model.input_shape[1:]], tf.float32)
    return tf.function(evaluate, input_signature=[images, tf.TensorSpec([None], tf.int32)])


@functools.lru_cache(KEPT)
def _training(
    model: keras.Sequential, _compiled: keras.metrics.Metric, batch_size: int
) -> tuple[Callable[..., Sums], Callable[..., Sums]]:
    variables = model.trainable_variables
    forward = on_pixels.forward(model)
    decay = model.optimizer.weight_decay or 0.0

    def step(
        pixels: tf.Tensor, labels: tf.Tensor, indices: tf.Tensor, learning_rate: tf.Tensor
    ) -> Sums:
        pixels, labels = tf.gather(pixels, indices), tf.gather(labels, indices)
        with tf.GradientTape() as tape:
            probabilities = forward(pixels)
            loss = tf.reduce_mean(_losses(probabilities, labels))
        for variable, gradient in zip(
            variables, tape.gradient(loss, [v.value for v in variables]), strict=True
        ):
            if decay:
                variable.value.assign_sub(variable.value * (decay * learning_rate))
            variable.value.assign_sub(learning_rate * gradient)
        return _sums(probabilities, labels)

    def full_batches(
        pixels: tf.Tensor, labels: tf.Tensor, order: tf.Tensor, learning_rate: tf.Tensor
    ) -> Sums:
        def body(
            batch: tf.Tensor, loss: tf.Tensor, correct: tf.Tensor
        ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
            indices = tf.slice(order, [batch * batch_size], [batch_size])
            more_loss, more_correct = step(pixels, labels, indices, learning_rate)
            return batch + 1, loss + more_loss, correct + more_correct

        zero = tf.constant(0.0)
        _, loss, correct = tf.while_loop(
            lambda batch, *_: batch < order.shape[0] // batch_size,
            body,
            (tf.constant(0), zero, zero),
        )
        return loss, correct

    # The one smaller batch of an epoch is not worth the time of compiling it.
    return (
        tf.function(full_batches, jit_compile=True, autograph=False),
        tf.function(step, autograph=False),
    )
