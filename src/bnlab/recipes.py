"""Recipes: all that is chosen before a network is trained, and the course's choice of them."""

from __future__ import annotations

import dataclasses

from bnlab import catalogue


@dataclasses.dataclass(frozen=True)
class Recipe:
    """What to train, and how. The defaults are the notebook's.

    Attributes
    ----------
    network : str
        A name in :data:`bnlab.catalogue.NETWORKS`.
    seed : int
        Sets the initial weights and the order of the batches.
    epochs : int
        Passes over the 55,000 training images.
    batch_size : int
        Images a step.
    learning_rate : float
        Step size of plain stochastic gradient descent.

    Raises
    ------
    ValueError
        If the network is unknown or a number is out of range.
    """

    network: str
    seed: int = 42
    epochs: int = 10
    batch_size: int = 32
    learning_rate: float = 1e-3

    def __post_init__(self) -> None:
        catalogue.find(self.network)
        if not 0 <= self.seed < 2**32:
            raise ValueError(f"A seed lies between 0 and 2**32 - 1, not {self.seed}.")
        if self.epochs < 1 or self.batch_size < 1:
            raise ValueError(
                f"Epochs and batch size are whole numbers from 1, not {self.epochs} "
                f"and {self.batch_size}."
            )
        if not self.learning_rate > 0:
            raise ValueError(f"A learning rate is above 0, not {self.learning_rate}.")

    def __str__(self) -> str:
        return f"{catalogue.find(self.network).title}, seed {self.seed}"


PAGE_SEED = 42
"""The notebook's seed: the run that the pages show in detail."""

SEEDS = (PAGE_SEED, 1, 2, 3, 4)
"""Every network is trained once with each, so that a figure has a mean and a spread."""


def course() -> list[Recipe]:
    """Return every recipe that the course's pages rest on, the page's own seed first."""
    return [Recipe(network, seed) for seed in SEEDS for network in catalogue.NETWORKS]
