"""The arithmetic of Keras's ``fit``, several times as fast.

``fit`` returns to Python after every batch. Here an epoch is one function: XLA compiles
the loop over its full batches, and the images stay where it runs. The weights, the order
of the batches and the metrics are those of ``fit`` with the same seed, but for rounding.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

from bnlab import data
from bnlab.training import coverage, graphs
from bnlab.training.orders import batch_orders

# isort: split

import keras
import numpy as np
import tensorflow as tf


class Epoch(NamedTuple):
    """The metrics of one epoch, each a mean over images, as ``fit`` reports them."""

    loss: float
    accuracy: float
    val_loss: float
    val_accuracy: float


def fit(
    model: keras.Sequential,
    images: data.FashionMNIST,
    *,
    epochs: int = 10,
    batch_size: int = 32,
    orders: np.ndarray | None = None,
    on_epoch: Callable[[int, Epoch, float], None] | None = None,
) -> list[Epoch]:
    """Train a compiled model in place, as ``model.fit(train, validation_data=valid)`` does.

    Parameters
    ----------
    model : keras.Sequential
        Compiled with plain :class:`keras.optimizers.SGD`, with weight decay or not, the loss
        ``"sparse_categorical_crossentropy"`` and the metric ``"accuracy"``. Layers may be
        frozen, but neither penalize, nor constrain, nor draw random numbers.
    images : FashionMNIST
        The train and valid parts are used: arrays, or tensors, which are not copied.
    epochs, batch_size : int
        As in ``fit``. The last batch of an epoch may be smaller.
    orders : numpy.ndarray, optional
        Integers, shape (epochs, images): the order of the images in each epoch. By default
        that which ``fit`` would draw.
    on_epoch : callable, optional
        Called after each epoch with its number from 1, its metrics, and its seconds.

    Returns
    -------
    list of Epoch
        One entry an epoch.

    Raises
    ------
    ValueError
        If epochs or batch size are below 1, if there is not one order of all images for each
        epoch, or if the model is compiled with anything else
        or has such layers, since that would not be honoured.
    """
    if epochs < 1 or batch_size < 1:
        raise ValueError(
            f"Epochs and batch size are whole numbers from 1, not {epochs} and {batch_size}."
        )
    coverage.check(model, images.train.pixels[:1])
    size = len(images.train.labels)
    batch_size = min(batch_size, size)
    steps = -(-size // batch_size)
    if orders is None:
        orders = batch_orders(size, epochs)
    _check_orders(orders, (epochs, size))
    train_images, valid_images = on_device(images.train), on_device(images.valid)
    learning_rate = tf.constant(float(model.optimizer.learning_rate))
    full_batches, rest = graphs.training(model, batch_size)
    history = []
    for number, order in enumerate(orders, start=1):
        started = time.perf_counter()
        whole = size // batch_size * batch_size
        loss, correct = full_batches(
            *train_images, tf.constant(order[:whole], tf.int32), learning_rate
        )
        if whole < size:
            more_loss, more_correct = rest(
                *train_images, tf.constant(order[whole:], tf.int32), learning_rate
            )
            loss, correct = loss + more_loss, correct + more_correct
        of_valid, _ = evaluate(model, valid_images)
        history.append(Epoch(float(loss) / size, float(correct) / size, *of_valid))
        model.optimizer.iterations.assign_add(steps)
        if on_epoch:
            on_epoch(number, history[-1], time.perf_counter() - started)
    return history


def _check_orders(orders: np.ndarray, shape: tuple[int, int]) -> None:
    # A graph would read a position that is not there as some other image, and say nothing.
    if orders.shape != shape or (np.sort(orders, axis=1) != np.arange(shape[1])).any():
        raise ValueError(
            f"Orders are one permutation of the {shape[1]} images for each of {shape[0]} epochs, "
            f"not an array of shape {orders.shape}."
        )


def on_device(part: data.Images) -> data.Images:
    """Return images and labels as tensors."""
    return data.Images(tf.convert_to_tensor(part.pixels), tf.cast(part.labels, tf.int32))


def evaluate(model: keras.Sequential, part: data.Images) -> tuple[tuple[float, float], tf.Tensor]:
    """Return mean loss and accuracy of a part, and the probabilities, in inference mode."""
    loss, correct, probabilities = graphs.evaluation(model)(*part)
    size = len(part.labels)
    return (float(loss) / size, float(correct) / size), probabilities
