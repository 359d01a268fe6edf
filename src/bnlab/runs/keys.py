"""The key of a run: the digest of everything that its numbers depend on, and of nothing else."""

from __future__ import annotations

import dataclasses
import functools
import json
from collections.abc import Iterable, Mapping
from typing import Any

from bnlab import data
from bnlab.recipes import Recipe, is_varied
from evergreen import sources

LIBRARIES = ("tensorflow", "keras", "numpy")
"""The distributions whose versions a run's numbers depend on."""

NEUTRAL: dict[str, object] = {
    "activation": None,
    "initializer": None,
    "initial_scale": 1.0,
    "layer_norm": False,
    "normalizes": None,
    "standardized": False,
    "hidden_layers": None,
    "weight_decay": 0.0,
    "reshuffle": True,
}
"""At these values a field changes nothing, so it is left out of the key. A new field that is
listed here changes no old key."""

STRUCTURE = (
    "hidden",
    "activation",
    "initializer",
    "normalization",
    "normalizes_inputs",
    "bias",
    "dropout",
)
"""What a varied network is built from: fields of its entry, as the recipe changes them."""

ROOTS = (
    "bnlab.environment:fix",
    "bnlab.runs.record:train_into",
    "bnlab.training.trainer:use_one_thread",
)
"""The code that computes every run and writes what is read back, with all that it uses."""

RESOLVED = (
    "bnlab.catalogue",  # of its values those that decide anything are in the key
    "bnlab.networks",  # of which a run uses one
    "bnlab.recipes",
    "bnlab.training.coverage",  # chooses between two programs for the same arithmetic
    "bnlab.training.structure",  # only refuses
    "bnlab.training.variants",  # of which most runs use nothing
)
"""Modules that are not followed: what a run uses of them is named or in the key by its value."""


def key(recipe: Recipe) -> str:
    """Return the digest of everything that a run of this recipe depends on.

    That is the recipe; the code of the network, of what trains it, and of what writes its
    numbers, weights and event logs; the data; and the versions of :data:`LIBRARIES`. Comments,
    docstrings, the texts of errors, what is refused, and what only tells of a run do not count.
    """
    return keys([recipe])[0]


def keys(recipes: Iterable[Recipe], versions: Mapping[str, str] | None = None) -> list[str]:
    """Return the keys of many recipes, and read the code only once for all.

    Parameters
    ----------
    recipes : iterable of Recipe
    versions : mapping of str to str, optional
        Versions of :data:`LIBRARIES` in place of the installed ones.
    """
    libraries = json.dumps(versions or sources.versions(LIBRARIES), sort_keys=True)
    codebase = sources.Codebase(["bnlab"])

    @functools.cache
    def code_of(built_by: str) -> str:
        used = [*ROOTS, built_by]
        return codebase.digest_of(used, resolved=RESOLVED, texts=False, refusals=False)

    return [
        sources.digest(
            json.dumps(chosen(recipe), sort_keys=True),
            code_of(
                "bnlab.training.variants:varied"
                if is_varied(recipe)
                else f"bnlab.networks:{recipe.network}"
            ),
            data.digest(),
            libraries,
        )
        for recipe in recipes
    ]


def chosen(recipe: Recipe) -> dict[str, Any]:
    """Return what a key holds of a recipe, and of the catalogue."""
    fields = dataclasses.asdict(recipe)
    structure = recipe.structure
    return {
        **{name: value for name, value in fields.items() if (name, value) not in NEUTRAL.items()},
        **({} if structure.optimizer == "SGD" else {"optimizer": structure.optimizer}),
        # A varied network is built from its entry, another by a function of its own.
        **({name: getattr(structure, name) for name in STRUCTURE} if is_varied(recipe) else {}),
    }
