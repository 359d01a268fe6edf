"""What every peer is told, and the one line of JSON that it ends with."""

from __future__ import annotations

import argparse
import importlib.metadata
import json
from collections.abc import Mapping, Sequence
from typing import NamedTuple

SEED = 42
BATCH_SIZE = 32
LEARNING_RATE = 1e-3


class Trained(NamedTuple):
    """One trained network.

    Attributes
    ----------
    history : sequence of sequence of float
        Loss, accuracy, validation loss and validation accuracy after each epoch.
    seconds : sequence of float
        Wall time of each epoch, validation included.
    parameters : int or None
        All numbers in the network, trained or not; None where the library did not count.
    """

    history: Sequence[Sequence[float]]
    seconds: Sequence[float]
    parameters: int | None = None


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Train the three networks of the notebook.")
    parser.add_argument("--epochs", type=int, default=10)
    return parser


def finish(trained: Mapping[str, Trained], *libraries: str) -> None:
    versions = {name: importlib.metadata.version(name) for name in libraries}
    networks = {name: network._asdict() for name, network in trained.items()}
    print(json.dumps({"networks": networks, "libraries": versions}))
