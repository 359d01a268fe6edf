"""The orders in which training goes through the images."""

from __future__ import annotations

from bnlab import data, quiet  # noqa: F401  (loads TensorFlow before Keras would)
from bnlab.recipes import Recipe

# isort: split

import keras
import numpy as np
import tensorflow as tf


def batch_orders(size: int, epochs: int) -> np.ndarray:
    """Draw the orders in which ``fit`` would go through the training images.

    Call it where ``fit`` would be called: after ``keras.utils.set_random_seed`` and after
    the network is built. It takes from TensorFlow's generator what ``fit`` takes.

    Source: ``ArrayDataAdapter.get_tf_dataset`` in Keras 3, which shuffles the same range
    in a dataset of one element, gone through once an epoch.

    Returns
    -------
    numpy.ndarray
        int32, shape (epochs, size): a permutation of 0 … size - 1 in each row.
    """

    def permutation(_: tf.Tensor) -> tf.Tensor:
        return tf.random.shuffle(tf.range(size, dtype=tf.int64))

    # One element, drawn each time the dataset is gone through. With a global seed set, each
    # time starts from that seed again, so the order is the same in every epoch: reported as
    # TensorFlow's issue 35682. If that is fixed, a test of this module fails.
    dataset = tf.data.Dataset.range(1).map(permutation)
    return np.stack([next(iter(dataset)).numpy().astype(np.int32) for _ in range(epochs)])


def orders_of(recipe: Recipe, size: int) -> np.ndarray:
    """Return the orders in which a recipe's run goes through its training images.

    Where the recipe repeats one order, call it as :func:`batch_orders`.

    Parameters
    ----------
    recipe : Recipe
    size : int
        Training images.

    Returns
    -------
    numpy.ndarray
        int32, shape (epochs, size): a permutation of 0 … size - 1 in each row.
    """
    if not recipe.reshuffle:
        return batch_orders(size, recipe.epochs)
    generator = np.random.Generator(np.random.PCG64(recipe.seed))
    order = np.arange(size, dtype=np.int32)
    return np.stack([generator.permutation(order) for _ in range(recipe.epochs)])


class InOrders(keras.utils.PyDataset):
    """The batches of training images for ``fit(shuffle=False)``, in these orders.

    Parameters
    ----------
    images : Images
        Arrays, or tensors.
    orders : numpy.ndarray
        Integers, shape (epochs, images): a permutation of the images for each epoch of ``fit``.
    batch_size : int
        Images a step; the last batch of an epoch may be smaller.
    """

    def __init__(self, images: data.Images, orders: np.ndarray, batch_size: int) -> None:
        super().__init__()
        self._images = data.Images(*map(np.asarray, images))
        self._orders = orders
        self._batch_size = batch_size
        self._epoch = -1

    def __len__(self) -> int:
        return -(-len(self._images.labels) // self._batch_size)

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        start = index * self._batch_size
        chosen = self._orders[self._epoch][start : start + self._batch_size]
        return self._images.pixels[chosen], self._images.labels[chosen]

    def on_epoch_begin(self) -> None:
        """Take the next order. Keras calls ``on_epoch_end`` before the first epoch, too."""
        self._epoch = (self._epoch + 1) % len(self._orders)
