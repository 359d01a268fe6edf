"""Training: build a network, train it, write its logs."""

from bnlab.training.building import build, compile
from bnlab.training.fast import Epoch, fit
from bnlab.training.orders import InOrders, batch_orders, orders_of
from bnlab.training.trainer import THREADS, Trained, obstacle, train, use_one_thread

__all__ = [
    "THREADS",
    "Epoch",
    "InOrders",
    "Trained",
    "batch_orders",
    "build",
    "compile",
    "fit",
    "obstacle",
    "orders_of",
    "train",
    "use_one_thread",
]
