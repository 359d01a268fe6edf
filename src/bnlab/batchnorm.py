"""Batch normalization in NumPy: forward, backward, inference, and its folding away.

Source of the formulas: Ioffe and Szegedy (2015), https://arxiv.org/abs/1502.03167. Their
algorithm 1 is `forward`, their section 3 `backward`, and their algorithm 2 `infer`. Knows no
TensorFlow: it is the independent check of Keras's layer.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

EPSILON, MOMENTUM = 1e-3, 0.99  # Keras's


class Saved(NamedTuple):
    """What a forward pass keeps: each array but the first has shape (units,)."""

    normalized: np.ndarray  # (batch, units)
    mean: np.ndarray
    variance: np.ndarray
    deviation: np.ndarray
    gamma: np.ndarray


def forward(
    x: np.ndarray,
    gamma: np.ndarray,
    beta: np.ndarray,
    epsilon: float = EPSILON,
) -> tuple[np.ndarray, Saved]:
    """Normalize a batch, (batch, units), by its own mean and variance."""
    if x.ndim != 2:
        raise ValueError(
            f"A batch has the shape (batch, units), not {x.shape}. Of pictures "
            "with channels, each pixel is a row: x.reshape(-1, channels)."
        )
    mean = x.mean(axis=0)
    variance = ((x - mean) ** 2).mean(axis=0)
    deviation = np.sqrt(variance + epsilon)
    normalized = (x - mean) / deviation
    saved = Saved(normalized, mean, variance, deviation, gamma)
    return gamma * normalized + beta, saved


def backward(
    dy: np.ndarray,
    saved: Saved,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Turn the loss's gradient by y into those by x, gamma and beta.

    Those by y and x have the shape (batch, units), the others (units,).
    """
    dbeta = dy.sum(axis=0)
    dgamma = (dy * saved.normalized).sum(axis=0)
    # dy without its mean and without its part along the normalized batch.
    rest = dy - (dbeta + saved.normalized * dgamma) / len(dy)
    return saved.gamma / saved.deviation * rest, dgamma, dbeta


def update_moving_average(
    average: np.ndarray, of_batch: np.ndarray, momentum: float = MOMENTUM
) -> np.ndarray:
    """Return a moving average after one more batch.

    The momentum is the share of the old average.
    """
    return momentum * average + (1 - momentum) * of_batch


def affine(
    gamma: np.ndarray,
    beta: np.ndarray,
    mean: np.ndarray,
    variance: np.ndarray,
    epsilon: float = EPSILON,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the layer in inference: scale and shift of shape (units,)."""
    scale = gamma / np.sqrt(variance + epsilon)
    return scale, beta - scale * mean


def infer(
    x: np.ndarray,
    gamma: np.ndarray,
    beta: np.ndarray,
    mean: np.ndarray,
    variance: np.ndarray,
    epsilon: float = EPSILON,
) -> np.ndarray:
    """Normalize a batch of shape (batch, units) by the moving averages."""
    scale, shift = affine(gamma, beta, mean, variance, epsilon)
    return scale * x + shift


def folded_into_next(
    scale: np.ndarray,
    shift: np.ndarray,
    kernel: np.ndarray,
    bias: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Fold the scaling before a dense layer into its kernel and bias.

    The kernel has the shape (inputs, units).
    """
    return scale[:, None] * kernel, bias + shift @ kernel


def folded_into_previous(
    kernel: np.ndarray,
    bias: np.ndarray,
    scale: np.ndarray,
    shift: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Fold the scaling after a dense layer into its kernel and bias.

    The kernel has the shape (inputs, units).
    """
    return kernel * scale, bias * scale + shift
