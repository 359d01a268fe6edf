"""A study made of runs: of new ones, and of those that are stored already and still fit."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import NamedTuple

from bnlab import runs
from bnlab.recipes import Recipe
from bnlab.runs import Run
from bnlab.studies import files, records, roundings, sweeps
from bnlab.studies.results import Rounding, Stored, Study
from evergreen import sources


class Kept(NamedTuple):
    """What need not be trained again.

    Attributes
    ----------
    results : dict of Recipe to Stored
    roundings : tuple of Rounding
        Those of the same recipes.
    machines : dict of str to str
        The processors that trained both, by the digest of their kind.
    finished : str
        When the last of their studies was: ISO 8601, UTC; empty if there is none.
    """

    results: dict[Recipe, Stored]
    roundings: tuple[Rounding, ...]
    machines: dict[str, str]
    finished: str


NOTHING = Kept({}, (), {}, "")


def fitting(name: str) -> Kept:
    """Return what is stored of a sweep's runs, in any study, if its key is that of the present.

    The roundings of such a run are kept, if the code that rounds is that of the present, too.

    Raises
    ------
    StudyError
        If a stored study is damaged.
    ValueError
        If there is no sweep of that name.
    """
    recipes = sweeps.find(name).recipes
    keys = dict(zip(recipes, runs.keys(recipes), strict=True))
    results: dict[Recipe, Stored] = {}
    rounded: dict[tuple[Recipe, str], Rounding] = {}
    machines: dict[str, str] = {}
    finished = ""
    for other in files.stored():
        study, made_by = files.read(other)
        found = {
            result.recipe: dataclasses.replace(result, study=name)
            for result in study.results
            if keys.get(result.recipe) == result.key
        }
        if found:
            results |= found
            finished = max(finished, study.finished)
            machines |= study.machines
        if made_by == roundings.code():
            rounded |= {(r.recipe, r.kind): r for r in study.roundings if r.recipe in found}
    used = {result.machine for result in results.values()}
    used |= {rounding.machine for rounding in rounded.values()}
    of_used = {machine: shown for machine, shown in machines.items() if machine in used}
    return Kept(results, tuple(rounded.values()), of_used, finished)


def of_runs(name: str, finished: Sequence[Run], kept: Kept = NOTHING) -> Study:
    """Return the study that a sweep's runs make up, still without roundings.

    Parameters
    ----------
    name : str
        The sweep's.
    finished : sequence of Run
        Those of its runs that are not kept, in its order.
    kept : Kept

    Raises
    ------
    ValueError
        If they are not.
    """
    sweep = sweeps.find(name)
    if [run.recipe for run in finished] != [r for r in sweep.recipes if r not in kept.results]:
        raise ValueError(f"These are not the runs of the sweep {name!r}, in its order.")
    results = kept.results | {run.recipe: records.stored(name, run) for run in finished}
    return Study(
        sweep,
        sources.versions(runs.LIBRARIES),
        kept.machines
        | {run.provenance["machine"]: run.provenance["processor"] for run in finished},
        max([kept.finished, *(run.provenance["finished"] for run in finished)]),
        tuple(results[recipe] for recipe in sweep.recipes),
        roundings=(),
    )
