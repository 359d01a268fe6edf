"""The key of a run: the digest of everything that its numbers depend on."""

from __future__ import annotations

import dataclasses
import functools
import json
from collections.abc import Iterable, Mapping

from bnlab import data
from bnlab.recipes import Recipe
from evergreen import sources

LIBRARIES = ("tensorflow", "keras", "numpy")
"""The distributions whose versions a run's numbers depend on."""


def key(recipe: Recipe) -> str:
    """Return the digest of everything that a run of this recipe depends on.

    That is the recipe, the code of the network and of the modules that train it, the data,
    and the versions of :data:`LIBRARIES`. Comments and docstrings do not count.
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

    @functools.cache
    def depends_on(network: str, varied: bool) -> tuple[str, ...]:
        parts = ["building", "events", "fast", "graphs", "trainer"]
        if varied:
            parts.append("variants")
        modules = ["data", *(f"training.{part}" for part in parts)]
        return (
            sources.function_digest("bnlab.networks", network),
            *(sources.module_digest(f"bnlab.{name}") for name in modules),
            sources.function_digest("bnlab.runs.worker", "_train_into"),
            data.digest(),
            libraries,
        )

    return [
        sources.digest(
            json.dumps(dataclasses.asdict(recipe), sort_keys=True),
            *depends_on(recipe.network, recipe.varied),
        )
        for recipe in recipes
    ]
