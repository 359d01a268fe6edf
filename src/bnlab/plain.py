"""The trained networks as plain arrays, and their predictions in NumPy.

Knows neither Keras nor TensorFlow, so that a page or a build that only needs a network's
numbers need not load them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from bnlab import batchnorm
from evergreen.errors import EvergreenError

if TYPE_CHECKING:
    import keras


class UnknownLayerError(EvergreenError):
    """A network has a layer that only Keras can compute."""


class Dense(NamedTuple):
    """Weights of shape (inputs, outputs), and a bias of shape (outputs,) or none."""

    kernel: np.ndarray
    bias: np.ndarray | None


class Normalization(NamedTuple):
    """The four vectors of a batch-normalization layer, and what is added to the variance."""

    gamma: np.ndarray
    beta: np.ndarray
    mean: np.ndarray
    variance: np.ndarray
    epsilon: float


class Activation(NamedTuple):
    """``relu``, which multiplies what is below zero with a slope, or ``softmax``."""

    kind: str
    slope: float = 0.0


Layer = Dense | Normalization | Activation


def layers(model: keras.Sequential) -> list[Layer]:
    """Return a network's layers as plain arrays.

    Raises
    ------
    UnknownLayerError
        If one is of another kind than those here.
    """
    found: list[Layer] = []
    for layer in model.layers:
        match type(layer).__name__:
            case "Flatten" | "Dropout":  # in inference a dropped share is none
                pass
            case "Dense":
                bias = None if layer.bias is None else layer.bias.numpy()
                found += [Dense(layer.kernel.numpy(), bias), *_activation(layer)]
            case "BatchNormalization":
                gamma, beta, mean, variance = (vector.numpy() for vector in layer.variables)
                found.append(Normalization(gamma, beta, mean, variance, layer.epsilon))
            case "LeakyReLU":
                found.append(Activation("relu", float(layer.negative_slope)))
            case "Activation":
                found += _activation(layer)
            case kind:
                raise UnknownLayerError(_unknown(f"layer {kind}"))
    return found


def _activation(layer: keras.Layer) -> list[Layer]:
    match layer.activation.__name__:
        case "linear":
            return []
        case "relu" | "softmax" as kind:
            return [Activation(kind)]
        case kind:
            raise UnknownLayerError(_unknown(f"activation {kind}"))


def _unknown(what: str) -> str:
    return (
        f"The {what} of a network is unknown outside Keras. Add it to bnlab/plain.py, which "
        "predicts in NumPy, and to _static/live/prediction.js, which does in the browser."
    )


def outputs(layer: Layer, values: np.ndarray, *, training: bool = False) -> np.ndarray:
    """Return what a layer makes of its inputs, one row an image.

    Parameters
    ----------
    layer : Layer
    values : numpy.ndarray
        Shape (images, inputs).
    training : bool
        Whether to normalize with the mean and the variance of these rows, as in training,
        instead of the moving ones.
    """
    match layer:
        case Dense(kernel, bias):
            return values @ kernel if bias is None else values @ kernel + bias
        case Normalization(gamma, beta, _, _, epsilon) if training:
            return batchnorm.forward(values, gamma, beta, epsilon)[0]
        case Normalization():
            return batchnorm.infer(values, *layer)
        case Activation("softmax"):
            powers = np.exp(values - values.max(axis=1, keepdims=True))
            return powers / powers.sum(axis=1, keepdims=True)
        case Activation("relu", slope):
            return np.where(values > 0, values, slope * values)
    raise ValueError(f"There is no layer {layer!r} in the course's networks.")


def predict(network: Sequence[Layer], pixels: np.ndarray, *, training: bool = False) -> np.ndarray:
    """Return class probabilities, shape (images, 10), for images of shape (images, 28, 28)."""
    values = pixels.reshape(len(pixels), -1).astype(np.float64)
    for layer in network:
        values = outputs(layer, values, training=training)
    return values
