"""Train what the pages show, and check the stored studies, before lessons are executed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from bnlab import recipes, runs, studies
from bnlab.site import spot_checks
from evergreen import checkout

if TYPE_CHECKING:
    from sphinx.application import Sphinx

    from bnlab.site.spot_checks import SpotCheck
    from evergreen.lessons.preparation import Lessons


class Prepared(NamedTuple):
    """What a build shows besides its lessons' outputs.

    Attributes
    ----------
    course : sequence of Run
        The course's own runs.
    studies : sequence of Study
        The stored studies, if a page shows one.
    spot_checks : sequence of SpotCheck
    """

    course: Sequence[runs.Run]
    studies: Sequence[studies.Study]
    spot_checks: Sequence[SpotCheck]


_prepared: dict[int, Prepared] = {}


def setup(app: Sphinx) -> None:
    """Connect this part to Sphinx."""
    app.connect("evergreen-prepare", _prepare)


def prepared(app: Sphinx) -> Prepared:
    """Return what this build has prepared."""
    return _prepared[id(app)]


def _prepare(app: Sphinx, lessons: Lessons) -> None:
    # A study that no page shows need not be up to date.
    shown = lessons.importing(studies.__name__)
    stored = [studies.load(name, strict=True) for name in studies.stored()] if shown else []
    sample = spot_checks.sample(stored, checkout.commit(Path(app.srcdir).resolve().parent))
    trained = runs.load_all([*recipes.course(), *sample])
    course = trained[: len(recipes.course())]
    _prepared[id(app)] = Prepared(course, stored, spot_checks.check(stored, trained))
