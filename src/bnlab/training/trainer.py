"""Train one network by one recipe."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from bnlab import data
from bnlab.recipes import Recipe
from bnlab.training import coverage, keras_fit
from bnlab.training.building import build
from bnlab.training.fast import Epoch, evaluate, fit, on_device
from bnlab.training.orders import orders_of

# isort: split

import keras
import numpy as np
import tensorflow as tf

THREADS = 1
"""Threads that train one network. Another count would change the last digits."""


class Trained(NamedTuple):
    """A trained network.

    Attributes
    ----------
    model : keras.Sequential
        Compiled and trained: an ordinary Keras model.
    history : list of Epoch
        One entry an epoch.
    train_loss, train_accuracy : float
        Of the training images in inference mode, measured once, after training. Those of
        the history are means over an epoch in training mode, while the weights change.
    test_loss, test_accuracy : float
        Measured once, after training.
    test_probabilities : numpy.ndarray
        float32, shape (10,000, 10).
    seconds : list of float
        Wall time of each epoch, validation included, in seconds.
    """

    model: keras.Sequential
    history: list[Epoch]
    train_loss: float
    train_accuracy: float
    test_loss: float
    test_accuracy: float
    test_probabilities: np.ndarray
    seconds: list[float]


def use_one_thread() -> None:
    """Let TensorFlow compute with :data:`THREADS` threads, so that results repeat exactly.

    Raises
    ------
    RuntimeError
        If TensorFlow has already computed something in this process.
    """
    tf.config.threading.set_intra_op_parallelism_threads(THREADS)
    tf.config.threading.set_inter_op_parallelism_threads(THREADS)


def train(
    recipe: Recipe, on_epoch: Callable[[int, Epoch, keras.Sequential], None] | None = None
) -> Trained:
    """Build, compile, train and test one network, all as the recipe says.

    Keras's own ``fit`` trains what the fast trainer does not cover.

    Parameters
    ----------
    recipe : Recipe
        What to train.
    on_epoch : callable, optional
        Called after each epoch with its number from 1, its metrics and the model.
    """
    images = _images_on_device(data.folder())
    fast = obstacle(recipe) is None
    keras.utils.set_random_seed(recipe.seed)
    model = _built_first(recipe)
    engine = _engine_from(model, recipe) if fast else model
    orders = orders_of(recipe, len(images.train.labels))
    seconds: list[float] = []

    def after_epoch(number: int, epoch: Epoch, duration: float) -> None:
        seconds.append(duration)
        if on_epoch:
            on_epoch(number, epoch, engine)

    history = (fit if fast else keras_fit.fit)(
        engine,
        images,
        epochs=recipe.epochs,
        batch_size=recipe.batch_size,
        orders=orders,
        on_epoch=after_epoch,
    )
    if fast:
        model.set_weights(engine.get_weights())
        model.optimizer.iterations.assign(engine.optimizer.iterations)
    of_test, probabilities = evaluate(engine, images.test)
    of_train = _evaluate_in_parts(engine, images.train)
    return Trained(model, history, *of_train, *of_test, probabilities.numpy(), seconds)


def obstacle(recipe: Recipe) -> str | None:
    """Return why the fast trainer does not train a recipe's network, or None if it does.

    It builds networks, so call it before a seed is set.
    """
    return _obstacle(_program(recipe))


# Read and copied once a process; the arrays, 220 MiB, are released.
@functools.cache
def _images_on_device(where: Path) -> data.FashionMNIST:
    return data.FashionMNIST(*map(on_device, data.read(where)))


def _built_first(recipe: Recipe) -> keras.Sequential:
    # Else a layer's name, and so its variables' paths, would count the networks before it.
    keras.utils.clear_session()
    return build(recipe)


def _program(recipe: Recipe) -> Recipe:
    """Return a recipe that stands for its program: the rest of its choices are numbers in it."""
    plain = Recipe(recipe.network)
    numbers = ("seed", "epochs", "batch_size", "learning_rate", "initial_scale", "reshuffle")
    return dataclasses.replace(recipe, **{name: getattr(plain, name) for name in numbers})


@functools.cache
def _engine(program: Recipe) -> keras.Sequential:
    """Return a network that each run of this process trains anew, so as to compile once."""
    return _built_first(program)


def _engine_from(model: keras.Sequential, recipe: Recipe) -> keras.Sequential:
    """Return the engine of a recipe, about to begin with a model's weights."""
    engine = _engine(_program(recipe))
    engine.set_weights(model.get_weights())
    engine.optimizer.learning_rate = recipe.learning_rate
    engine.optimizer.iterations.assign(0)
    return engine


@functools.cache
def _obstacle(program: Recipe) -> str | None:
    image = np.zeros((1, 28, 28), np.float32)
    return coverage.obstacle(_engine(program), image)


def _evaluate_in_parts(model: keras.Sequential, part: data.Images) -> tuple[float, float]:
    """Return mean loss and accuracy of a part that is too large for one evaluation's memory."""
    size = len(part.labels)
    sums = np.zeros(2)
    for start in range(0, size, 5_000):
        some = data.Images(*(array[start : start + 5_000] for array in part))
        sums += np.multiply(evaluate(model, some)[0], len(some.labels))
    return float(sums[0]) / size, float(sums[1]) / size
