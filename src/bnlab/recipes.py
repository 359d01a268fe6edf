"""Recipes: all that is chosen before a network is trained, and the course's choice of them."""

from __future__ import annotations

import dataclasses

from bnlab import catalogue

_SHOWN = {
    "learning_rate": "learning rate {:g}",
    "activation": "{}",
    "initializer": "{}",
    "initial_scale": "initial weights × {:g}",
    "batch_size": "batches of {}",
    "layer_norm": "layer normalization",
}


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
    activation : str or None
        One of :data:`bnlab.catalogue.ACTIVATIONS` in the hidden layers; None is the
        network's own, and naming the network's own is the same recipe.
    initializer : str or None
        One of :data:`bnlab.catalogue.INITIALIZERS` for the weights of the hidden layers;
        None is the network's own.
    initial_scale : float
        The initial weights of every dense layer are multiplied by this.
    layer_norm : bool
        Whether layer normalization replaces batch normalization.

    Raises
    ------
    ValueError
        If a name is unknown or a number is out of range.
    """

    network: str
    seed: int = 42
    epochs: int = 10
    batch_size: int = 32
    learning_rate: float = 1e-3
    activation: str | None = None
    initializer: str | None = None
    initial_scale: float = 1.0
    layer_norm: bool = False

    def __post_init__(self) -> None:
        network = catalogue.find(self.network)
        if not 0 <= self.seed < 2**32:
            raise ValueError(f"A seed lies between 0 and 2**32 - 1, not {self.seed}.")
        if self.epochs < 1 or self.batch_size < 1:
            raise ValueError(
                f"Epochs and batch size are whole numbers from 1, not {self.epochs} "
                f"and {self.batch_size}."
            )
        if not self.learning_rate > 0:
            raise ValueError(f"A learning rate is above 0, not {self.learning_rate}.")
        if not self.initial_scale > 0:
            raise ValueError(f"A scale of weights is above 0, not {self.initial_scale}.")
        if self.layer_norm and not network.normalized:
            raise ValueError(
                f"{network.title} has no batch normalization that layer normalization could "
                "replace. Choose another network, or layer_norm=False."
            )
        for field, known in (
            ("activation", catalogue.ACTIVATIONS),
            ("initializer", catalogue.INITIALIZERS),
        ):
            chosen = getattr(self, field)
            if chosen is not None and chosen not in known:
                raise ValueError(
                    f"There is no {field} {chosen!r} here. Choose one of "
                    f"{', '.join(map(repr, known))}."
                )
            if chosen == getattr(network, field):
                object.__setattr__(self, field, None)  # one recipe has one key

    def __str__(self) -> str:
        defaults = Recipe(self.network)
        changed = [
            form.format(getattr(self, field))
            for field, form in _SHOWN.items()
            if getattr(self, field) != getattr(defaults, field)
        ]
        return ", ".join([catalogue.find(self.network).title, *changed, f"seed {self.seed}"])

    @property
    def hidden(self) -> tuple[str, str]:
        """Activation and initializer of the hidden layers, the network's own unless chosen."""
        network = catalogue.find(self.network)
        return self.activation or network.activation, self.initializer or network.initializer


def is_varied(recipe: Recipe) -> bool:
    """Tell whether a recipe changes the network itself, by :mod:`bnlab.training.variants`."""
    chosen = (recipe.activation, recipe.initializer, recipe.initial_scale, recipe.layer_norm)
    return chosen != (None, None, 1.0, False)


PAGE_SEED = 42
"""The notebook's seed: the run that the pages show in detail."""

SEEDS = (PAGE_SEED, 1, 2, 3, 4)
"""Every network is trained once with each, so that a figure has a mean and a spread."""


def course() -> list[Recipe]:
    """Return every recipe that the course's pages rest on, the page's own seed first."""
    return [Recipe(network, seed) for seed in SEEDS for network in catalogue.NETWORKS]
