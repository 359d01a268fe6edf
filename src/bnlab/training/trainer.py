"""Train one network by one recipe: the arithmetic of Keras's ``fit``, several times as fast.

``fit`` returns to Python after every batch. Here an epoch is one function: XLA compiles
the loop over its full batches, and the images stay where it runs. The weights, the order
of the batches and the metrics are those of ``fit`` with the same seed, but for rounding.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from bnlab import data, networks, quiet  # noqa: F401  (loads TensorFlow)
from bnlab.recipes import Recipe
from bnlab.training import variants

# isort: split

import keras
import numpy as np
import tensorflow as tf

THREADS = 1
"""Threads that train one network. Another count would change the last digits."""


class Epoch(NamedTuple):
    """The metrics of one epoch, each a mean over images, as ``fit`` reports them."""

    loss: float
    accuracy: float
    val_loss: float
    val_accuracy: float


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


def compile(model: keras.Sequential, learning_rate: float = 1e-3) -> keras.Sequential:
    """Compile a network as the notebook does, and return it."""
    model.compile(
        loss="sparse_categorical_crossentropy",
        optimizer=keras.optimizers.SGD(learning_rate=learning_rate),
        metrics=["accuracy"],
    )
    return model


def build(recipe: Recipe) -> keras.Sequential:
    """Return a recipe's network, compiled, with initial weights from the global seed.

    A varied network takes them from the recipe's own seed, see
    :func:`bnlab.training.variants.vary`.
    """
    model = getattr(networks, recipe.network)()
    if recipe.varied:
        model = variants.vary(model, recipe)
    return compile(model, recipe.learning_rate)


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
    # time starts from that seed again, so the order is the same in every epoch.
    dataset = tf.data.Dataset.range(1).map(permutation)
    return np.stack([next(iter(dataset)).numpy().astype(np.int32) for _ in range(epochs)])


def fit(
    model: keras.Sequential,
    images: data.FashionMNIST,
    *,
    epochs: int = 10,
    batch_size: int = 32,
    on_epoch: Callable[[int, Epoch, float], None] | None = None,
) -> list[Epoch]:
    """Train a compiled model in place, as ``model.fit(train, validation_data=valid)`` does.

    Parameters
    ----------
    model : keras.Sequential
        Compiled with plain :class:`keras.optimizers.SGD`, the loss
        ``"sparse_categorical_crossentropy"`` and the metric ``"accuracy"``. Layers may be
        frozen, but neither penalize, nor constrain, nor draw random numbers.
    images : FashionMNIST
        The train and valid parts are used: arrays, or tensors, which are not copied.
    epochs, batch_size : int
        As in ``fit``. The last batch of an epoch may be smaller.
    on_epoch : callable, optional
        Called after each epoch with its number from 1, its metrics, and its seconds.

    Returns
    -------
    list of Epoch
        One entry an epoch.

    Raises
    ------
    ValueError
        If epochs or batch size are below 1, or if the model is compiled with anything else
        or has such layers, since that would not be honoured.
    """
    if epochs < 1 or batch_size < 1:
        raise ValueError(
            f"Epochs and batch size are whole numbers from 1, not {epochs} and {batch_size}."
        )
    _check_covered(model, images.train.pixels[:1])
    size = len(images.train.labels)
    batch_size = min(batch_size, size)
    steps = -(-size // batch_size)
    orders = batch_orders(size, epochs)
    train_images, valid_images = _on_device(images.train), _on_device(images.valid)
    learning_rate = tf.constant(float(model.optimizer.learning_rate))
    full_batches, rest = _functions(model, model._loss_tracker, batch_size)
    history = []
    for number, order in enumerate(orders, start=1):
        started = time.perf_counter()
        whole = size // batch_size * batch_size
        loss, correct = full_batches(*train_images, tf.constant(order[:whole]), learning_rate)
        if whole < size:
            more_loss, more_correct = rest(*train_images, tf.constant(order[whole:]), learning_rate)
            loss, correct = loss + more_loss, correct + more_correct
        of_valid, _ = _evaluate(model, valid_images)
        history.append(Epoch(float(loss) / size, float(correct) / size, *of_valid))
        model.optimizer.iterations.assign_add(steps)
        if on_epoch:
            on_epoch(number, history[-1], time.perf_counter() - started)
    return history


def train(
    recipe: Recipe, on_epoch: Callable[[int, Epoch, keras.Sequential], None] | None = None
) -> Trained:
    """Build, compile, train and test one network, all as the recipe says.

    Parameters
    ----------
    recipe : Recipe
        What to train.
    on_epoch : callable, optional
        Called after each epoch with its number from 1, its metrics and the model.
    """
    images = _images_on_device(data.folder())
    engine = _engine(recipe.network, recipe.activation, recipe.layer_norm)
    keras.utils.set_random_seed(recipe.seed)
    model = _built_first(recipe)
    engine.set_weights(model.get_weights())
    engine.optimizer.learning_rate = recipe.learning_rate
    engine.optimizer.iterations.assign(0)
    seconds: list[float] = []

    def after_epoch(number: int, epoch: Epoch, duration: float) -> None:
        seconds.append(duration)
        if on_epoch:
            on_epoch(number, epoch, engine)

    history = fit(
        engine,
        images,
        epochs=recipe.epochs,
        batch_size=recipe.batch_size,
        on_epoch=after_epoch,
    )
    model.set_weights(engine.get_weights())
    model.optimizer.iterations.assign(engine.optimizer.iterations)
    of_test, probabilities = _evaluate(engine, images.test)
    of_train = _evaluate_in_parts(engine, images.train)
    return Trained(model, history, *of_train, *of_test, probabilities.numpy(), seconds)


def _check_covered(model: keras.Sequential, image: np.ndarray) -> None:
    """Refuse what ``model.fit`` would honour and :func:`fit` would not."""
    if type(model) is not keras.Sequential or not model.compiled:
        raise ValueError(
            "bnlab.training.fit trains a compiled keras.Sequential. Call "
            "bnlab.training.compile(model) first, or use model.fit instead."
        )
    optimizer = model.optimizer
    if type(optimizer) is not keras.optimizers.SGD:
        raise _uncovered(f"trains with keras.optimizers.SGD, not with {type(optimizer).__name__}")
    if not isinstance(optimizer._learning_rate, keras.Variable):
        raise _uncovered("trains with a fixed learning rate, not with a schedule or a function")
    plain = keras.optimizers.SGD(learning_rate=0.5).get_config()
    # The name changes nothing, and any fixed learning rate is covered.
    config = optimizer.get_config() | {"name": plain["name"], "learning_rate": 0.5}
    if config != plain:
        options = {name: value for name, value in config.items() if value != plain[name]}
        raise _uncovered(f"trains with plain SGD, not with SGD's options {options}")
    if model.loss != "sparse_categorical_crossentropy":
        raise _uncovered(
            f'trains with the loss "sparse_categorical_crossentropy", not with {model.loss!r}'
        )
    if model._compile_loss._user_loss_weights:
        raise _uncovered("trains with no loss weights")
    metrics = model._compile_metrics
    if not metrics or metrics._user_metrics != ["accuracy"] or metrics._user_weighted_metrics:
        raise _uncovered('measures metrics=["accuracy"] and no others')
    if model.run_eagerly:
        raise _uncovered("compiles each epoch and does not run eagerly")
    model(image, training=False)  # builds it if need be, and collects its layers' penalties
    if model.losses:
        raise _uncovered("adds no penalties to the loss, as a regularizer does")
    if any(variable.constraint is not None for variable in model.trainable_variables):
        raise _uncovered("applies no constraints to the weights")
    for layer in model._flatten_layers(include_self=False):
        if layer._seed_generators:
            raise _uncovered(f"draws no random numbers, as the layer {layer.name!r} does")
        if layer.dtype_policy.name != "float32":
            raise _uncovered(
                f"computes in float32, not in the {layer.dtype_policy.name} of {layer.name!r}"
            )


def _uncovered(sentence: str) -> ValueError:
    return ValueError(f"bnlab.training.fit {sentence}. Use model.fit instead.")


def _losses(probabilities: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    return keras.losses.sparse_categorical_crossentropy(labels, probabilities)


def _totals(probabilities: tf.Tensor, labels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Return the sum of the losses and the number of right answers, both float32."""
    right = tf.argmax(probabilities, axis=-1, output_type=tf.int32) == labels
    return (
        tf.reduce_sum(_losses(probabilities, labels)),
        tf.reduce_sum(tf.cast(right, tf.float32)),
    )


def _on_device(part: data.Images) -> data.Images:
    return data.Images(tf.convert_to_tensor(part.pixels), tf.cast(part.labels, tf.int32))


# Read and copied once a process: the arrays are let go, and with them 220 MiB.
@functools.cache
def _images_on_device(where: Path) -> data.FashionMNIST:
    return data.FashionMNIST(*map(_on_device, data.read(where)))


def _built_first(recipe: Recipe) -> keras.Sequential:
    # Else a layer's name, and so its variables' paths, would count the networks before it.
    keras.utils.clear_session()
    return build(recipe)


@functools.cache
def _engine(network: str, activation: str | None, layer_norm: bool) -> keras.Sequential:
    """Return a network that each run of this process trains anew, so as to compile once.

    What else a recipe chooses changes the numbers in it, and not the program.
    """
    return _built_first(Recipe(network, activation=activation, layer_norm=layer_norm))


def _evaluate(model: keras.Sequential, part: data.Images) -> tuple[tuple[float, float], tf.Tensor]:
    """Return mean loss and accuracy of a part, and the probabilities, in inference mode."""
    loss, correct, probabilities = _evaluate_function(model, model._loss_tracker)(*part)
    size = len(part.labels)
    return (float(loss) / size, float(correct) / size), probabilities


def _evaluate_in_parts(model: keras.Sequential, part: data.Images) -> tuple[float, float]:
    """Return mean loss and accuracy of a part that is too large for one evaluation's memory."""
    size = len(part.labels)
    sums = np.zeros(2)
    for start in range(0, size, 5_000):
        some = data.Images(*(array[start : start + 5_000] for array in part))
        sums += np.multiply(_evaluate(model, some)[0], len(some.labels))
    return float(sums[0]) / size, float(sums[1]) / size


# Compiling takes as long as two epochs, so the last few are kept. As in Keras a change of the
# model counts once model.compile is called again, which makes a new tracker.
@functools.lru_cache(maxsize=4)
def _evaluate_function(
    model: keras.Sequential, _tracker: keras.metrics.Metric
) -> Callable[[tf.Tensor, tf.Tensor], tuple[tf.Tensor, ...]]:
    """Return a function from images and labels to their totals and the probabilities.

    Not compiled: a few large products gain nothing by it.
    """

    # The loss belongs into the same graph as the softmax: Keras looks behind it there, and
    # elsewhere clips the probabilities.
    def evaluate(pixels: tf.Tensor, labels: tf.Tensor) -> tuple[tf.Tensor, ...]:
        probabilities = model(pixels, training=False)
        return *_totals(probabilities, labels), probabilities

    images = tf.TensorSpec([None, *model.input_shape[1:]], tf.float32)
    return tf.function(evaluate, input_signature=[images, tf.TensorSpec([None], tf.int32)])


@functools.lru_cache(maxsize=4)
def _functions(
    model: keras.Sequential, _tracker: keras.metrics.Metric, batch_size: int
) -> tuple[Callable[..., tuple[tf.Tensor, tf.Tensor]], Callable[..., tuple[tf.Tensor, tf.Tensor]]]:
    """Return functions that train on full batches, and on a last, smaller one.

    Both take the images, the labels, the order of those to train on and the learning rate,
    and return the sum of the losses and the number of right answers.
    """
    variables = model.trainable_variables

    def step(
        pixels: tf.Tensor, labels: tf.Tensor, indices: tf.Tensor, learning_rate: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        pixels, labels = tf.gather(pixels, indices), tf.gather(labels, indices)
        with tf.GradientTape() as tape:
            probabilities = model(pixels, training=True)
            loss = tf.reduce_mean(_losses(probabilities, labels))
        for variable, gradient in zip(
            variables, tape.gradient(loss, [v.value for v in variables]), strict=True
        ):
            variable.value.assign_sub(learning_rate * gradient)
        return _totals(probabilities, labels)

    def full_batches(
        pixels: tf.Tensor, labels: tf.Tensor, order: tf.Tensor, learning_rate: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
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
