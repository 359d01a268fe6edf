"""How runs end if something is rounded differently, as another kind of processor would.

Such a processor adds up in another order, and a float32 then has another last digit. Where
steps are very large, that may decide where a run ends. Here it is done on purpose.
"""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Iterable, Sequence
from pathlib import Path

from bnlab.recipes import Recipe
from bnlab.runs import key, machine, pool
from bnlab.studies.results import ACCURACIES, LIMIT, Rounding, Study, by_setting, range_of, rounded
from evergreen import sources
from evergreen.progress import Progress
from evergreen.store import Store

STORE = Store("roundings")

KINDS = ("pixels", "weights")
"""What is rounded differently, see :mod:`bnlab.studies.perturbed`."""

WIDE = 0.03
"""Of a setting whose seeds end further apart than this in an accuracy, every seed is trained.

Elsewhere the first is enough, and none is needed where :data:`MANY` end within
:data:`bnlab.studies.results.LIMIT`: another seed changes all that rounding can change, and more.
"""


MANY = 5
"""Fewer seeds of a setting do not tell how far apart they may end."""


def code() -> str:
    """Return the digest of the code that rounds differently, besides that of any run."""
    alone = sources.Codebase({"perturbed": Path(__file__).with_name("perturbed.py")})
    return alone.digest_of(["perturbed"], texts=False)


def chosen(study: Study) -> list[Recipe]:
    """Return the recipes of a study that are trained with each of :data:`KINDS`."""
    recipes: list[Recipe] = []
    for seeds in by_setting(study.results).values():
        apart = max(range_of(seeds, metric) for metric in ACCURACIES)
        if apart > WIDE:
            recipes += [seed.recipe for seed in seeds]
        elif apart > LIMIT or len(seeds) < MANY:
            recipes.append(seeds[0].recipe)
    return recipes


def train_all(recipes: Iterable[Recipe], kept: Iterable[Rounding] = ()) -> list[Rounding]:
    """Return how runs end with each of :data:`KINDS`, training what is missing from the store.

    Parameters
    ----------
    recipes : iterable of Recipe
    kept : iterable of Rounding
        Those that need not be in the store; others than the recipes' are passed over.

    Raises
    ------
    TrainingError
        If a run fails or its process dies.
    """
    wanted = [(recipe, kind) for recipe in recipes for kind in KINDS]
    there = {(rounding.recipe, rounding.kind): rounding for rounding in kept}
    missing = [one for one in wanted if one not in there]
    if missing:
        there |= zip(missing, _train(missing), strict=True)
    return [there[one] for one in wanted]


def _train(wanted: Sequence[tuple[Recipe, str]]) -> list[Rounding]:
    found = []
    with (
        pool.processes(len(wanted)) as executor,
        Progress(
            "Rounding", total=len(wanted), step="run", parts=len(wanted), part="run"
        ) as progress,
    ):
        for one, future in [(one, executor.submit(_find, *one)) for one in wanted]:
            with pool.reporting(one[0]):
                found.append(future.result())
            progress.show(len(found), len(found), [])
    return found


def _find(recipe: Recipe, kind: str) -> Rounding:
    name = sources.digest(key(recipe), kind, code())
    folder = STORE.make(name, functools.partial(_write, recipe, kind))
    ends = json.loads((folder / "ends.json").read_text("utf-8"))
    return Rounding(recipe=recipe, kind=kind, **ends)


def _write(recipe: Recipe, kind: str, folder: Path) -> None:
    from bnlab.studies import perturbed

    ends = perturbed.train(recipe, kind)
    content = {
        "machine": machine(),
        "diverged": not math.isfinite(ends["loss"]),
        **{metric: rounded(ends[metric]) for metric in ACCURACIES},
    }
    (folder / "ends.json").write_text(json.dumps(content), "utf-8")
