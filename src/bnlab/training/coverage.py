"""What the trainer covers: networks that it trains as Keras's own ``fit`` would, and no others."""

from __future__ import annotations

from bnlab import quiet  # noqa: F401  (loads TensorFlow before Keras would)

# isort: split

import keras
import numpy as np


def check(model: keras.Sequential, image: np.ndarray) -> None:
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
