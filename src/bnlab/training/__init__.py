"""Training: the trainer, the networks that it varies, and the logs that it writes."""

from bnlab.training.trainer import (
    THREADS,
    Epoch,
    Trained,
    batch_orders,
    build,
    compile,
    fit,
    train,
    use_one_thread,
)

__all__ = [
    "THREADS",
    "Epoch",
    "Trained",
    "batch_orders",
    "build",
    "compile",
    "fit",
    "train",
    "use_one_thread",
]
