"""Recipes: all that is chosen before a network is trained, and the course's choice of them."""

from __future__ import annotations

import dataclasses
from typing import Literal

from bnlab import catalogue

_SHOWN = {
    "learning_rate": "learning rate {:g}",
    "activation": "{}",
    "initializer": "{}",
    "initial_scale": "initial weights × {:g}",
    "batch_size": "batches of {}",
    "layer_norm": "layer normalization",
    "normalizes": "normalizes {}",
    "standardized": "standardized pixels",
    "hidden_layers": "{} hidden layers",
    "weight_decay": "weight decay {:g}",
    "reshuffle": "the same batches in every epoch",
}

WIDTH = 100
"""Units in each hidden layer where a recipe chooses their number."""

Normalizes = Literal["all", "hidden", "inputs", "none"]
_NORMALIZED: dict[str, frozenset[str]] = {
    "all": frozenset({"hidden", "inputs"}),
    "hidden": frozenset({"hidden"}),
    "inputs": frozenset({"inputs"}),
    "none": frozenset(),
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
    normalizes : {"all", "hidden", "inputs", "none"} or None
        Which of the network's normalizations it keeps: those of the hidden layers, that of the
        pixels, or none of them. A hidden layer that loses its own has a bias. None is "all",
        and naming what the network has is the same recipe.
    standardized : bool
        Whether each pixel is standardized first, by its mean and its standard deviation over
        the training images: two constants, see :func:`bnlab.data.pixel_moments`.
    hidden_layers : int or None
        So many hidden layers of :data:`WIDTH` units; None is the network's own.
    weight_decay : float
        As of ``keras.optimizers.SGD``: each step first takes this share, times the learning
        rate, off every trained parameter (Loshchilov & Hutter 2019).
    reshuffle : bool
        Whether every epoch goes through the images in an order of its own, drawn from the
        seed. Otherwise all epochs repeat the one that Keras's ``fit`` draws once a global
        seed is set.

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
    normalizes: Normalizes | None = None
    standardized: bool = False
    hidden_layers: int | None = None
    weight_decay: float = 0.0
    reshuffle: bool = True

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
        if not self.weight_decay >= 0:
            raise ValueError(f"A weight decay is 0 or above, not {self.weight_decay}.")
        if self.hidden_layers is not None and self.hidden_layers < 1:
            raise ValueError(f"A network has at least 1 hidden layer, not {self.hidden_layers}.")
        self._check_normalizations(network)
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

    def _check_normalizations(self, network: catalogue.Network) -> None:
        own = frozenset(
            name
            for name, has in (
                ("hidden", network.normalization != "none"),
                ("inputs", network.normalizes_inputs),
            )
            if has
        )
        if self.normalizes is not None:
            if self.normalizes not in _NORMALIZED:
                raise ValueError(
                    f"There is no choice {self.normalizes!r} of normalizations. Choose one of "
                    f"{', '.join(map(repr, _NORMALIZED))}."
                )
            chosen = own if self.normalizes == "all" else _NORMALIZED[self.normalizes]
            if not chosen <= own:
                raise ValueError(
                    f"{network.title} has no batch normalization of its {self.normalizes} to "
                    'keep. Choose another network, or normalizes="none".'
                )
            if chosen == own:
                object.__setattr__(self, "normalizes", None)  # one recipe has one key
        if self.layer_norm and not self.structure.normalized:
            raise ValueError(
                f"{network.title} has no batch normalization here that layer normalization could "
                "replace. Choose another network, or layer_norm=False."
            )

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

    @property
    def structure(self) -> catalogue.Network:
        """The network's entry, as the recipe varies its layers.

        It knows neither the initial scale nor layer normalization, which takes the places of
        batch normalization.
        """
        network = catalogue.find(self.network)
        kept = _NORMALIZED[self.normalizes or "all"]
        activation, initializer = self.hidden
        return dataclasses.replace(
            network,
            hidden=network.hidden if self.hidden_layers is None else (WIDTH,) * self.hidden_layers,
            activation=activation,
            initializer=initializer,
            normalization=network.normalization if "hidden" in kept else "none",
            normalizes_inputs=network.normalizes_inputs and "inputs" in kept,
            bias=network.bias or "hidden" not in kept,
        )


VARYING = (
    "activation",
    "initializer",
    "initial_scale",
    "layer_norm",
    "normalizes",
    "standardized",
    "hidden_layers",
)
"""The fields that change the network itself."""


def is_varied(recipe: Recipe) -> bool:
    """Tell whether a recipe changes the network itself, by :mod:`bnlab.training.variants`."""
    plain = Recipe(recipe.network)
    return any(getattr(recipe, field) != getattr(plain, field) for field in VARYING)


PAGE_SEED = 42
"""The notebook's seed: the run that the pages show in detail."""

SEEDS = (PAGE_SEED, 1, 2, 3, 4)
"""Every network is trained once with each, so that a figure has a mean and a spread."""


def course() -> list[Recipe]:
    """Return every recipe that the course's pages rest on, the page's own seed first."""
    return [Recipe(network, seed) for seed in SEEDS for network in catalogue.NETWORKS]
