"""Probes into a network in training mode: activations, gradients, and the loss ahead of them.

A probe computes what a training step would compute, on one batch and with the batch's own
means and variances, and leaves the network as it was: it moves neither a weight nor a
moving average.

Source of the three measures: Santurkar, Tsipras, Ilyas and Mądry, "How Does Batch
Normalization Help Optimization?" (NeurIPS 2018), definition 2.1 and section 3.2.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import NamedTuple

from bnlab import quiet  # noqa: F401  (loads TensorFlow before Keras would)

# isort: split

import keras
import numpy as np
import tensorflow as tf


class Gradient(NamedTuple):
    """The loss of a batch and its gradient.

    Attributes
    ----------
    loss : float
        Mean cross-entropy over the batch, in nats.
    by_layer : dict of str to numpy.ndarray
        For each layer that is trained, by its name and in the network's order: the
        gradient by all its trained variables, as one float32 vector.
    """

    loss: float
    by_layer: dict[str, np.ndarray]

    @property
    def norm(self) -> float:
        """Euclidean norm of the whole gradient."""
        return float(np.linalg.norm([np.linalg.norm(part) for part in self.by_layer.values()]))


class Along(NamedTuple):
    """What a network meets along the gradient of one batch.

    Attributes
    ----------
    steps : numpy.ndarray
        The step sizes, each a factor of the gradient, as a learning rate is.
    loss, norm : float
        Loss and norm of the gradient where the way begins.
    losses : numpy.ndarray
        The loss of the same batch after each step; its range is the paper's figure 4 (a).
    distances : numpy.ndarray
        Euclidean distance of the gradient there from that at the beginning: figure 4 (b).
    cosines : numpy.ndarray
        Cosine of the angle between the two.
    """

    steps: np.ndarray
    loss: float
    norm: float
    losses: np.ndarray
    distances: np.ndarray
    cosines: np.ndarray

    @property
    def smoothness(self) -> float:
        """The "effective" beta-smoothness, figure 4 (c): the gradient's change by length of way.

        The largest of distance / (step size x norm) over the steps.
        """
        return float(np.max(self.distances / (self.steps * self.norm)))


class Shift(NamedTuple):
    """The internal covariate shift of one layer in one training step.

    Attributes
    ----------
    norm : float
        Euclidean norm of G, the layer's gradient.
    difference : float
        Euclidean distance of G from G', the layer's gradient on the same batch once all
        layers before it have made their step.
    cosine : float
        Cosine of the angle between the two.
    """

    norm: float
    difference: float
    cosine: float


def activations(model: keras.Sequential, pixels: np.ndarray) -> dict[str, np.ndarray]:
    """Return what leaves each layer in training mode.

    Parameters
    ----------
    model : keras.Sequential
        A built network.
    pixels : numpy.ndarray
        float32, shape (batch, 28, 28), in [0, 1].

    Returns
    -------
    dict of str to numpy.ndarray
        By layer name, in the network's order: float32, shape (batch, units).
    """
    values = _functions(model).activations(*_state(model), pixels)
    return {layer.name: value.numpy() for layer, value in zip(model.layers, values, strict=True)}


def gradient(model: keras.Sequential, pixels: np.ndarray, labels: np.ndarray) -> Gradient:
    """Return the loss of a batch and its gradient, layer by layer.

    Parameters
    ----------
    model : keras.Sequential
        A network of which at least one layer is trained.
    pixels, labels : numpy.ndarray
        Images of shape (batch, 28, 28) and their labels.
    """
    loss, parts = _functions(model).gradient(*_state(model), pixels, labels)
    return Gradient(float(loss), _joined(model, parts))


def along_gradient(
    model: keras.Sequential, pixels: np.ndarray, labels: np.ndarray, steps: Sequence[float]
) -> Along:
    """Walk along the negative gradient of a batch, and look at its loss and gradient there.

    Source: the paper's section 3.2 and figure 4. As in gradient descent the way's length is
    step size times norm, so a step equal to the learning rate ends where training would.

    Parameters
    ----------
    model : keras.Sequential
        A network of which at least one layer is trained.
    pixels, labels : numpy.ndarray
        Images of shape (batch, 28, 28) and their labels.
    steps : sequence of float
        Step sizes.

    Raises
    ------
    ValueError
        If there is no step, or one that is not above 0: the smoothness divides by it.
    """
    if len(steps) == 0 or min(steps) <= 0:
        raise ValueError(f"Step sizes are numbers above 0, at least one of them, not {steps!r}.")
    sizes = np.asarray(steps, np.float32)
    measured = _functions(model).along(*_state(model), pixels, labels, sizes)
    loss, norm, losses, distances, cosines = (value.numpy() for value in measured)
    return Along(sizes, float(loss), float(norm), losses, distances, cosines)


def covariate_shift(
    model: keras.Sequential, pixels: np.ndarray, labels: np.ndarray, learning_rate: float
) -> dict[str, Shift]:
    """Return each layer's internal covariate shift in one step of gradient descent.

    Source: the paper's definition 2.1. G is the gradient by the layer's variables as they
    are; G' is the same after the layers before it, and only these, have been updated.

    Parameters
    ----------
    model : keras.Sequential
        A network of which at least one layer is trained.
    pixels, labels : numpy.ndarray
        Images of shape (batch, 28, 28) and their labels.
    learning_rate : float
        Step size of the update.

    Returns
    -------
    dict of str to Shift
        By name, for each layer that is trained, in the network's order. The first has
        nothing before it, so its difference is 0.
    """
    rate = tf.constant(learning_rate, tf.float32)
    measured = _functions(model).shifts(*_state(model), pixels, labels, rate)
    return {
        layer.name: Shift(*map(float, row))
        for layer, row in zip(_trained(model), measured.numpy(), strict=True)
    }


class _Functions(NamedTuple):
    activations: Callable[..., list[tf.Tensor]]
    gradient: Callable[..., tuple[tf.Tensor, list[tf.Tensor]]]
    along: Callable[..., tuple[tf.Tensor, ...]]
    shifts: Callable[..., tf.Tensor]


# Tracing takes longer than a probe.
@functools.lru_cache(maxsize=4)
def _functions(model: keras.Sequential) -> _Functions:
    """Return the probes as graphs of the values of a network's variables.

    They take the values instead of reading the variables, so that they can look at a
    network where it is not, and leave it as it is.
    """
    every_layer = keras.Model(model.inputs, [layer.output for layer in model.layers])

    def gradient_at(
        values: list[tf.Tensor],
        fixed: list[tf.Tensor],
        pixels: tf.Tensor,
        labels: tf.Tensor,
        own: slice,
    ) -> tuple[tf.Tensor, list[tf.Tensor]]:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(values[own])
            probabilities, _ = model.stateless_call(values, fixed, pixels, training=True)
            loss = tf.reduce_mean(
                keras.losses.sparse_categorical_crossentropy(labels, probabilities)
            )
        return loss, tape.gradient(loss, values[own])

    def gradient(
        values: list[tf.Tensor], fixed: list[tf.Tensor], pixels: tf.Tensor, labels: tf.Tensor
    ) -> tuple[tf.Tensor, list[tf.Tensor]]:
        return gradient_at(values, fixed, pixels, labels, slice(None))

    def along(
        values: list[tf.Tensor],
        fixed: list[tf.Tensor],
        pixels: tf.Tensor,
        labels: tf.Tensor,
        steps: tf.Tensor,
    ) -> tuple[tf.Tensor, ...]:
        loss, start = gradient(values, fixed, pixels, labels)
        norm = tf.linalg.global_norm(start)

        def after(step: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
            moved = [value - step * part for value, part in zip(values, start, strict=True)]
            loss_there, there = gradient(moved, fixed, pixels, labels)
            _, distance, cosine = _compared(start, there)
            return loss_there, distance, cosine

        return loss, norm, *tf.map_fn(after, steps, fn_output_signature=(tf.float32,) * 3)

    def shifts(
        values: list[tf.Tensor],
        fixed: list[tf.Tensor],
        pixels: tf.Tensor,
        labels: tf.Tensor,
        learning_rate: tf.Tensor,
    ) -> tf.Tensor:
        _, start = gradient(values, fixed, pixels, labels)
        stepped = [value - learning_rate * part for value, part in zip(values, start, strict=True)]
        rows, end = [], 0
        for layer in _trained(model):
            begin, end = end, end + len(layer.trainable_variables)
            in_front_updated = [*stepped[:begin], *values[begin:]]
            own = slice(begin, end)
            _, there = gradient_at(in_front_updated, fixed, pixels, labels, own)
            rows.append(_compared(start[own], there))
        return tf.convert_to_tensor(rows)

    def activations_at(
        values: list[tf.Tensor], fixed: list[tf.Tensor], pixels: tf.Tensor
    ) -> list[tf.Tensor]:
        outputs, _ = every_layer.stateless_call(values, fixed, pixels, training=True)
        return list(outputs)

    return _Functions(
        *(tf.function(f, autograph=False) for f in (activations_at, gradient, along, shifts))
    )


def _state(model: keras.Sequential) -> tuple[list[tf.Tensor], list[tf.Tensor]]:
    """Return the values of the variables that are trained, and of those that are not."""
    return (
        [tf.convert_to_tensor(variable.value) for variable in model.trainable_variables],
        [tf.convert_to_tensor(variable.value) for variable in model.non_trainable_variables],
    )


def _trained(model: keras.Sequential) -> list[keras.Layer]:
    return [layer for layer in model.layers if layer.trainable_variables]


def _joined(model: keras.Sequential, parts: list[tf.Tensor]) -> dict[str, np.ndarray]:
    """Return a gradient by variable as one by layer: the variables come layer by layer."""
    rest = iter(parts)
    return {
        layer.name: np.concatenate([np.ravel(next(rest)) for _ in layer.trainable_variables])
        for layer in _trained(model)
    }


def _compared(a: list[tf.Tensor], b: list[tf.Tensor]) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Return the norm of a gradient, its distance from another, and the cosine between them."""
    pairs = list(zip(a, b, strict=True))
    distance = tf.linalg.global_norm([y - x for x, y in pairs])
    product = tf.add_n([tf.reduce_sum(x * y) for x, y in pairs])
    norm = tf.linalg.global_norm(a)
    return norm, distance, product / (norm * tf.linalg.global_norm(b))
