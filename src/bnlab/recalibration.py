"""Moving averages measured again: what inference mode divides by, taken over given images.

Source: algorithm 2 of Ioffe and Szegedy (2015), https://arxiv.org/abs/1502.03167, takes the
averages over many batches once training is over. Over images of another kind it is the
adaptation of Li et al. (2016), https://arxiv.org/abs/1603.04779.
"""

from __future__ import annotations

from bnlab import quiet  # noqa: F401  (loads TensorFlow before Keras would)

# isort: split

import keras
import numpy as np
from keras import layers


def recalibrate(
    model: keras.Sequential, pixels: np.ndarray, batch_size: int | None = None
) -> keras.Sequential:
    """Set every moving average to the mean over batches of some images, and return the model.

    No weight changes, and no label is needed. The layers see what they see in training mode:
    each batch is normalized by its own mean and variance.

    Parameters
    ----------
    model : keras.Sequential
        Built, with batch normalization over its last axis.
    pixels : numpy.ndarray
        float32, shape (images, ...): what the model takes.
    batch_size : int, optional
        Images in a batch; what is left over in the end is not used. By default all images are
        one batch, so that the averages are the images' own mean and variance.

    Raises
    ------
    ValueError
        If there are no such many images, or the model has no batch normalization.
    """
    batch_size = len(pixels) if batch_size is None else batch_size
    batches = len(pixels) // max(batch_size, 1)
    if batch_size < 1 or batches < 1:
        raise ValueError(
            f"A batch has at least 1 image and at most all {len(pixels)}, not {batch_size}."
        )
    if not any(isinstance(layer, layers.BatchNormalization) for layer in model.layers):
        raise ValueError(f"The model {model.name!r} has no batch normalization to recalibrate.")
    values = pixels[: batches * batch_size]
    for layer in model.layers:
        if isinstance(layer, layers.BatchNormalization):
            values = _in_training_mode(
                layer, values.reshape(batches, batch_size, *values.shape[1:])
            )
        else:
            values = np.asarray(layer(values))
    return model


def _in_training_mode(layer: layers.BatchNormalization, values: np.ndarray) -> np.ndarray:
    """Normalize batches, shape (batches, images, ..., units), and keep their mean statistics."""
    over = tuple(range(1, values.ndim - 1))
    mean = values.mean(axis=over, keepdims=True, dtype=np.float64)
    centred = values - mean.astype(np.float32)
    variance = np.square(centred).mean(axis=over, keepdims=True, dtype=np.float64)
    layer.moving_mean.assign(mean.mean(axis=0).ravel())
    layer.moving_variance.assign(variance.mean(axis=0).ravel())
    scale = np.asarray(layer.gamma) / np.sqrt(variance + layer.epsilon)
    centred *= scale.astype(np.float32)
    centred += np.asarray(layer.beta)
    return centred.reshape(-1, *values.shape[2:])
