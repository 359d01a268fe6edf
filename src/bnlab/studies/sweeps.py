"""Sweeps: the many runs that answer one question together. Each is a study's list of recipes.

A sweep says itself which networks, seeds and epochs it is about. So neither a new network nor
another choice for the course makes a stored study out of date.
"""

from __future__ import annotations

import dataclasses
import itertools
from typing import Any

from bnlab.recipes import Recipe

NETWORKS = ("baseline", "bn_approach_one", "bn_approach_two")
"""The notebook's three."""

SEEDS = (42, 1, 2, 3, 4)
"""Each setting is trained once with each, where a sweep names no others."""

NEW_SEEDS = tuple(range(5, 15))
"""Those that compare the best settings. They have had no part in choosing them."""

EPOCHS = 10
"""The notebook's, where a sweep is not about a single pass over the images."""

ACTIVATIONS = ("leaky_relu", "relu")
INITIALIZERS = ("he_normal", "glorot_uniform")

LEARNING_RATES = (1e-4, 1e-3, 1e-2, 3e-2, 1e-1, 3e-1, 1.0)
"""From far below the notebook's 0.001 to far above, closer together where the best ones lie."""

INITIAL_SCALES = (0.1, 0.3, 1.0, 3.0, 10.0)
"""Factors of the initial weights, with the notebook's 1 in the middle."""

BATCH_SIZES = (2, 8, 32, 128, 1024)
"""From the smallest that has a variance at all; the notebook's 32 is in the middle."""

_STANDARDIZED = {"standardized": True}
_BASELINE = {"network": "baseline"}
_RELU = _BASELINE | {"activation": "relu", "initializer": "glorot_uniform"}
_HIDDEN = {"network": "bn_approach_one", "normalizes": "hidden"}

LADDER: dict[str, dict[str, Any]] = {
    "Baseline": _BASELINE,
    "ReLU, Glorot": _RELU,
    "Standardized": _BASELINE | _STANDARDIZED,
    "Standardized, ReLU, Glorot": _RELU | _STANDARDIZED,
    "BN on the pixels": {"network": "bn_approach_one", "normalizes": "inputs"},
    "BN on hidden layers": _HIDDEN,
    "BN on hidden layers, standardized": _HIDDEN | _STANDARDIZED,
    "Approach one": {"network": "bn_approach_one"},
    "Approach two": {"network": "bn_approach_two"},
}
"""From the baseline to both approaches, rung by rung: what a recipe chooses, by its title."""

USEFUL_RATES = (1e-3, 1e-2, 3e-2, 1e-1, 3e-1)
"""The notebook's learning rate, and those around the networks' best."""

COMPARED: tuple[dict[str, Any], ...] = (
    _BASELINE,
    _BASELINE | _STANDARDIZED,
    *({"network": network} for network in NETWORKS[1:]),
)
"""The notebook's three, and the control of what batch normalization does to the pixels: what a
recipe chooses."""

NORMALIZED: tuple[dict[str, Any], ...] = (
    _BASELINE,
    _BASELINE | _STANDARDIZED,
    {"network": "bn_approach_two"},
    {"network": "bn_approach_two", "layer_norm": True},
)
"""No normalization, the same control, batch normalization, and layer normalization in its
place."""

DEPTHS = (2, 5, 10, 20)
"""Hidden layers of :data:`bnlab.recipes.WIDTH` units."""

DEEP: dict[str, Any] = {
    "network": "bn_approach_two",
    "standardized": True,
    "initializer": "he_normal",
    "epochs": 5,
}
"""A network whose batch normalization can be left out, and nothing else changes but that a
hidden layer without it has a bias. Its pixels are standardized either way."""

STARTS: dict[str, dict[str, Any]] = {
    "He": {"normalizes": "none"},
    "He, BN": {"normalizes": "hidden"},
    "Half of He": {"normalizes": "none", "initial_scale": 0.5},
    "Half of He, BN": {"normalizes": "hidden", "initial_scale": 0.5},
}
"""How a deep network begins, by title: its first weights, with batch normalization or without."""

BEST_OF_LADDER: dict[str, float] = {
    "Baseline": 0.1,
    "ReLU, Glorot": 0.1,
    "Standardized": 0.03,
    "Standardized, ReLU, Glorot": 0.1,
    "BN on the pixels": 0.03,
    "BN on hidden layers": 0.01,
    "BN on hidden layers, standardized": 0.1,
    "Approach one": 0.03,
    "Approach two": 0.3,
}
"""The learning rate that :func:`bnlab.studies.best_rate` finds in the ladder's study, rung by rung.
Where it finds another, :func:`bnlab.studies.again` refuses these."""

SECOND_BEST = {"Standardized, ReLU, Glorot": 0.03, "Approach one": 0.3}
"""The second-best rates of approach one and of the rung that tells what is its own: on the
validation images they are hardly apart from the best, so the size of the lead must not rest on
these choices."""

BEST_OF_DEPTH: dict[str, tuple[float, ...]] = {
    "He": (0.03, 0.1, 0.03, 0.01),
    "He, BN": (0.3, 0.03, 0.1, 0.03),
}
"""The same of the study of depth, for each of :data:`DEPTHS`."""


@dataclasses.dataclass(frozen=True)
class Sweep:
    """The recipes of one question, each setting with every seed.

    Attributes
    ----------
    name : str
        Names the study, on the command line and in :func:`bnlab.studies.load`.
    question : str
        What it answers.
    recipes : tuple of Recipe
    """

    name: str
    question: str
    recipes: tuple[Recipe, ...]

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds of its recipes, in their order."""
        return tuple(dict.fromkeys(recipe.seed for recipe in self.recipes))


SWEEPS: dict[str, Sweep] = {
    sweep.name: sweep
    for sweep in (
        Sweep(
            "learning_rates",
            "Which learning rates does each network tolerate?",
            tuple(
                Recipe(**network, seed=seed, epochs=EPOCHS, learning_rate=rate)
                for rate in LEARNING_RATES
                for network in COMPARED
                for seed in SEEDS
            ),
        ),
        Sweep(
            "fair_baseline",
            "What do the activation and the initial weights do, and what batch normalization?",
            tuple(
                Recipe(network, seed, EPOCHS, activation=activation, initializer=initializer)
                for activation in ACTIVATIONS
                for initializer in INITIALIZERS
                for network in NETWORKS
                for seed in SEEDS
            ),
        ),
        Sweep(
            "initial_scales",
            "How much does it matter how large the initial weights are?",
            tuple(
                Recipe(**network, seed=seed, epochs=EPOCHS, initial_scale=scale)
                for scale in INITIAL_SCALES
                for network in COMPARED
                for seed in SEEDS
            ),
        ),
        Sweep(
            "ladder",
            "Which part of approach one's lead comes with which of its differences?",
            tuple(
                Recipe(**rung, seed=seed, epochs=EPOCHS, learning_rate=rate)
                for rate in USEFUL_RATES
                for rung in LADDER.values()
                for seed in SEEDS
            ),
        ),
        Sweep(
            "repeated_batches",
            "What does it cost to go through the same batches in every epoch?",
            tuple(
                Recipe(network, seed, EPOCHS, learning_rate=rate, reshuffle=False)
                for rate in USEFUL_RATES
                for network in NETWORKS
                for seed in SEEDS
            ),
        ),
        Sweep(
            "batch_sizes",
            "What does batch normalization do with small batches, and with large ones?",
            tuple(
                dict.fromkeys(
                    Recipe(**network, seed=seed, epochs=1, batch_size=size, learning_rate=rate)
                    for size in BATCH_SIZES
                    for rate in (1e-3, 1e-3 * size / 32)  # fixed, and in proportion
                    for network in NORMALIZED
                    for seed in SEEDS
                )
            ),
        ),
        Sweep(
            "batch_noise",
            "Is the noise of the batches' statistics what keeps a network from memorizing?",
            tuple(
                Recipe(
                    **network,
                    seed=seed,
                    epochs=EPOCHS,
                    batch_size=size,
                    learning_rate=0.03 * size / 32,
                )
                for size in (32, 128, 1024)
                for network in NORMALIZED
                for seed in SEEDS
            ),
        ),
        Sweep(
            "depth",
            "What does depth ask of a network, and what does batch normalization do about it?",
            tuple(
                Recipe(
                    **DEEP | STARTS[title],
                    seed=seed,
                    hidden_layers=layers,
                    learning_rate=rate,
                )
                for title, layers, rate in (
                    *itertools.product(("He", "He, BN"), DEPTHS, (1e-3, 1e-2, 3e-2, 1e-1)),
                    *itertools.product(("He", "He, BN"), DEPTHS[:-1], (3e-1,)),
                    *itertools.product(tuple(STARTS)[2:], DEPTHS[-1:], (1e-2,)),
                )
                for seed in SEEDS
            ),
        ),
        Sweep(
            "best_rungs",
            "How far apart are the ladder's rungs, each at its best rate, with other seeds?",
            tuple(
                Recipe(**LADDER[title], seed=seed, epochs=EPOCHS, learning_rate=rate)
                for title, rate in (*BEST_OF_LADDER.items(), *SECOND_BEST.items())
                for seed in NEW_SEEDS
            ),
        ),
        Sweep(
            "best_depths",
            "How far apart are deep networks, each at its best rate, with other seeds?",
            tuple(
                Recipe(
                    **DEEP | STARTS[title],
                    seed=seed,
                    hidden_layers=layers,
                    learning_rate=rate,
                )
                for title, rates in BEST_OF_DEPTH.items()
                for layers, rate in zip(DEPTHS, rates, strict=True)
                for seed in NEW_SEEDS
            ),
        ),
    )
}
"""The sweeps by name. What is added here, `make study` trains."""


def find(name: str) -> Sweep:
    """Return a sweep by its name.

    Raises
    ------
    ValueError
        If there is no such sweep.
    """
    if name not in SWEEPS:
        raise ValueError(
            f"There is no study {name!r}. Choose one of {', '.join(map(repr, SWEEPS))}."
        )
    return SWEEPS[name]
