"""What the fast trainer covers: networks that it trains as Keras's own ``fit`` would.

Anything else that ``model.fit`` would honour is an obstacle, and each has a sentence here.
"""

from __future__ import annotations

import warnings

from bnlab import quiet  # noqa: F401  (loads TensorFlow before Keras would)

# isort: split

import keras
import numpy as np
import tensorflow as tf


def check(model: keras.Sequential, image: np.ndarray) -> None:
    """Refuse a model that the fast trainer does not cover.

    Parameters
    ----------
    model : keras.Sequential
    image : numpy.ndarray
        One image, with an axis for the batch: builds a model that is not built yet.

    Raises
    ------
    ValueError
        With what is not covered.
    """
    if type(model) is not keras.Sequential or not model.compiled:
        raise ValueError(
            "bnlab.training.fit trains a compiled keras.Sequential. Call "
            "bnlab.training.compile(model) first, or use model.fit instead."
        )
    found = obstacle(model, image)
    if found is not None:
        raise ValueError(f"bnlab.training.fit {found}. Use model.fit instead.")


def obstacle(model: keras.Sequential, image: np.ndarray) -> str | None:
    """Return why the fast trainer cannot train a compiled model, or None if it can.

    The sentence has no subject, since that is the trainer.
    """
    return _of_compile(model) or _of_layers(model, image)


def _of_compile(model: keras.Sequential) -> str | None:
    optimizer = model.optimizer
    if type(optimizer) is not keras.optimizers.SGD:
        return f"trains with keras.optimizers.SGD, not with {type(optimizer).__name__}"
    with warnings.catch_warnings():  # Keras warns of a function that it writes down
        warnings.simplefilter("ignore")
        config = optimizer.get_config()
    if not isinstance(config["learning_rate"], float):
        return "trains with a fixed learning rate, not with a schedule or a function"
    plain = keras.optimizers.SGD(learning_rate=0.5).get_config()
    # The name changes nothing, and any fixed learning rate and weight decay are covered.
    config |= {"name": plain["name"], "learning_rate": 0.5, "weight_decay": plain["weight_decay"]}
    if config != plain:
        options = {name: value for name, value in config.items() if value != plain[name]}
        return f"trains with plain SGD, not with SGD's options {options}"
    # Keras has no public word for it.
    if getattr(optimizer, "_exclude_from_weight_decay_pattern", None) or getattr(
        optimizer, "_exclude_from_weight_decay", None
    ):
        return "trains with one weight decay for all weights"
    if model.loss != "sparse_categorical_crossentropy":
        return f'trains with the loss "sparse_categorical_crossentropy", not with {model.loss!r}'
    compiled = model.get_compile_config()
    if compiled["loss_weights"]:
        return "trains with no loss weights"
    if compiled["metrics"] != ["accuracy"] or compiled["weighted_metrics"]:
        return 'measures metrics=["accuracy"] and no others'
    if model.run_eagerly:
        return "compiles each epoch and does not run eagerly"
    return None


def _of_layers(model: keras.Sequential, image: np.ndarray) -> str | None:
    model(image, training=False)  # builds it if need be, and collects its layers' penalties
    if model.losses:
        return "adds no penalties to the loss, as a regularizer does"
    if any(variable.constraint is not None for variable in model.trainable_variables):
        return "applies no constraints to the weights"
    operations, types = _computed(model)
    if any("Random" in operation for operation in operations):
        return "draws no random numbers, as dropout does"
    if others := types - {"float32"}:
        return f"computes in float32, not in {', '.join(sorted(others))}"
    return None


def _computed(model: keras.Sequential) -> tuple[set[str], set[str]]:
    """Return the operations of a training pass, and the floating-point types it computes in.

    The pass is traced, not run, so nothing changes. What layers do counts, not what they
    say of themselves.
    """
    images = tf.TensorSpec([None, *model.input_shape[1:]], tf.float32)
    traced = tf.function(lambda pixels: model(pixels, training=True), autograph=False)
    graph = traced.get_concrete_function(images).graph.as_graph_def()
    nodes = [*graph.node, *(node for each in graph.library.function for node in each.node_def)]
    types = {
        tf.as_dtype(value.type)
        for node in nodes
        for value in node.attr.values()
        if value.WhichOneof("value") == "type" and value.type
    }
    return {node.op for node in nodes}, {kind.name for kind in types if kind.is_floating}
