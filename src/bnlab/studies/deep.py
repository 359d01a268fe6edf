"""The beginnings of the deep networks: their first weights, with batch normalization or without."""

from __future__ import annotations

import dataclasses

from bnlab.recipes import Recipe
from bnlab.studies.results import Stored, Study, setting
from bnlab.studies.sweeps import DEEP, STARTS


def starts(study: Study) -> dict[str, list[Stored]]:
    """Return the results of the study of depth by how their networks begin, of any depth."""
    found: dict[str, list[Stored]] = {}
    for title, chosen in STARTS.items():
        begun = setting(Recipe(**DEEP | chosen))
        found[title] = [
            result
            for result in study.results
            if begun
            == dataclasses.replace(
                setting(result.recipe),
                learning_rate=begun.learning_rate,
                hidden_layers=begun.hidden_layers,
            )
        ]
    return found
