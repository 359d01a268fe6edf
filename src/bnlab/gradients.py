"""Gradients of plain networks in NumPy: what Keras computes by its tape, in float64 and in sight.

The source of the formulas is the chain rule; that of batch normalization is
:func:`bnlab.batchnorm.backward`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from bnlab import batchnorm
from bnlab.plain import Activation, Dense, Layer, Normalization, outputs

Parameters = tuple[np.ndarray, ...]
"""One array for each parameter of a layer."""


class Pass(NamedTuple):
    """One pass forward and back over a batch, in training mode.

    Attributes
    ----------
    loss : float
        Mean cross-entropy over the batch, in nats.
    outputs : list of numpy.ndarray
        What leaves each layer, shape (images, units).
    slopes : list of numpy.ndarray
        The loss's gradient by these, in the same shapes. Of the softmax it is that by what enters
        it, the logits.
    gradients : list of tuple of numpy.ndarray
        By kernel and bias of a dense layer, by gamma and beta of a normalization; of a layer
        without parameters there are none.
    """

    loss: float
    outputs: list[np.ndarray]
    slopes: list[np.ndarray]
    gradients: list[Parameters]


def of_batch(network: Sequence[Layer], pixels: np.ndarray, labels: np.ndarray) -> Pass:
    """Return a batch's loss and its gradients.

    Parameters
    ----------
    network : sequence of Layer
        Its last layer is the softmax.
    pixels : numpy.ndarray
        Shape (images, inputs).
    labels : numpy.ndarray
        Integers, shape (images,).

    Raises
    ------
    ValueError
        If the last layer is not the only softmax.
    """
    softmax = [isinstance(layer, Activation) and layer.kind == "softmax" for layer in network]
    if softmax != [False] * (len(network) - 1) + [True]:
        raise ValueError("Gradients are those of a network whose last layer is its only softmax.")
    entering, values, saved = [], pixels, {}
    for place, layer in enumerate(network):
        entering.append(values)
        if isinstance(layer, Normalization):
            values, saved[place] = batchnorm.forward(values, layer.gamma, layer.beta, layer.epsilon)
        else:
            values = outputs(layer, values)
    rows = np.arange(len(labels))
    # By the logits, since a probability may be too small for a float.
    logits = entering[-1] - entering[-1].max(axis=1, keepdims=True)
    loss = (np.log(np.exp(logits).sum(axis=1)) - logits[rows, labels]).mean()
    slope = values.copy()
    slope[rows, labels] -= 1
    slope /= len(labels)
    slopes: list[np.ndarray] = [slope]
    gradients: list[Parameters] = [()]
    for place in reversed(range(len(network) - 1)):
        slopes.append(slope)
        match network[place]:
            case Dense(kernel, bias):
                of_bias = () if bias is None else (slope.sum(axis=0),)
                gradients.append((entering[place].T @ slope, *of_bias))
                if place:  # nothing asks for the slope of the pixels
                    slope = slope @ kernel.T
            case Normalization():
                slope, of_gamma, of_beta = batchnorm.backward(slope, saved[place])
                gradients.append((of_gamma, of_beta))
            case Activation(_, below):
                gradients.append(())
                slope = np.where(entering[place] > 0, slope, below * slope)
    return Pass(float(loss), [*entering[1:], values], slopes[::-1], gradients[::-1])


def descended(
    network: Sequence[Layer],
    gradients: Sequence[Parameters],
    rates: Sequence[float],
    decays: Sequence[float] | None = None,
) -> list[Layer]:
    """Return a network after a step of gradient descent.

    Parameters
    ----------
    network : sequence of Layer
    gradients : sequence of tuple of numpy.ndarray
        As of :func:`of_batch`.
    rates : sequence of float
        A learning rate for each layer.
    decays : sequence of float, optional
        A weight decay for each layer, as of ``keras.optimizers.SGD``: the step first takes this
        share, times the learning rate, off each parameter. By default there is none.
    """
    stepped: list[Layer] = []
    decays = [0.0] * len(network) if decays is None else decays
    for layer, parts, rate, decay in zip(network, gradients, rates, decays, strict=True):
        kept = 1 - rate * decay
        match layer:
            case Dense(kernel, None):
                stepped.append(Dense(kept * kernel - rate * parts[0], None))
            case Dense(kernel, np.ndarray() as bias):
                stepped.append(
                    Dense(kept * kernel - rate * parts[0], kept * bias - rate * parts[1])
                )
            case Normalization(gamma, beta, mean, variance, epsilon):
                gamma, beta = kept * gamma - rate * parts[0], kept * beta - rate * parts[1]
                stepped.append(Normalization(gamma, beta, mean, variance, epsilon))
            case _:
                stepped.append(layer)
    return stepped
