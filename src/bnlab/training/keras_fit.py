"""Keras's own ``fit``, with the record of the fast trainer: it trains what that does not cover."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from bnlab import data
from bnlab.training.fast import Epoch
from bnlab.training.orders import InOrders

# isort: split

import keras
import numpy as np


def fit(
    model: keras.Sequential,
    images: data.FashionMNIST,
    *,
    epochs: int,
    batch_size: int,
    orders: np.ndarray,
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
        InOrders(images.train, orders, batch_size),
        validation_data=tuple(images.valid),
        epochs=epochs,
        shuffle=False,
        verbose=0,
        callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=after_epoch)],
    )
    return history
