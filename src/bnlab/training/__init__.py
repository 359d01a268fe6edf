"""Training: build a network, train it, write its logs."""

from bnlab.training.building import build, compile
from bnlab.training.fast import Epoch, batch_orders, fit
from bnlab.training.trainer import THREADS, Trained, obstacle, train, use_one_thread

__all__ = [
    "THREADS",
    "Epoch",
    "Trained",
    "batch_orders",
    "build",
    "compile",
    "fit",
    "obstacle",
    "train",
    "use_one_thread",
]
