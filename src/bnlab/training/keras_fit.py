"""Keras's own ``fit``, with the record of the fast trainer: it trains what that does not cover."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from bnlab import data
from bnlab.training.fast import Epoch

# isort: split

import keras


def fit(
    model: keras.Sequential,
    images: data.FashionMNIST,
    *,
    epochs: int,
    batch_size: int,
    on_epoch: Callable[[int, Epoch, float], None],
) -> list[Epoch]:
    """Train any compiled model in place; parameters and result are those of the fast trainer."""
    history: list[Epoch] = []
    started = time.perf_counter()

    def after_epoch(_number: int, logs: dict[str, Any]) -> None:
        nonlocal started
        seconds = time.perf_counter() - started
        history.append(Epoch(*(float(logs[name]) for name in Epoch._fields)))
        on_epoch(len(history), history[-1], seconds)
        started = time.perf_counter()

    model.fit(
        *images.train,
        validation_data=tuple(images.valid),
        epochs=epochs,
        batch_size=batch_size,
        verbose=0,
        callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=after_epoch)],
    )
    return history
