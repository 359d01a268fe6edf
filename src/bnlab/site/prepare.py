"""Train what the pages show, and check the stored studies, before lessons are executed."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from bnlab import recipes, runs, studies
from bnlab.site import spot_checks

if TYPE_CHECKING:
    from sphinx.application import Sphinx

    from bnlab.site.spot_checks import SpotCheck
    from evergreen.lessons.preparation import Lessons


WEEK_VARIABLE = "BNLAB_WEEK"
"""Environment variable: the week of a weekly build, such as 2026-W47. Each checks other runs."""


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
    # A study that no page shows need not be up to date. The home page shows one if it is.
    shown = set(lessons.importing(studies.__name__)) - {app.config.root_doc}
    stored = [studies.load(name, strict=True) for name in studies.stored()] if shown else []
    sample = spot_checks.sample(stored, os.environ.get(WEEK_VARIABLE))
    trained = runs.load_all([*recipes.course(), *sample])
    course = trained[: len(recipes.course())]
    _prepared[id(app)] = Prepared(course, stored, spot_checks.check(stored, trained))
