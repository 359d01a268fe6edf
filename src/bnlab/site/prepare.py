"""Train what the pages show, and check the stored studies, before lessons are executed."""

from __future__ import annotations

import datetime
import os
import time
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from bnlab import recipes, runs, studies
from bnlab.site import agreement, spot_checks
from bnlab.site.rounding import ERROR_RATE
from evergreen import timeline

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.config import Config

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
    app.connect("config-inited", set_aside)
    app.connect("evergreen-prepare", _prepare)


def set_aside(_app: Sphinx, config: Config) -> None:
    """Leave out the cells that are about Fashion-MNIST, if the data are others.

    It is a handler of Sphinx's event ``config-inited``.
    """
    if studies.of_other_data():
        config.evergreen_aside = {
            "fashion-mnist": "What stands here is about Fashion-MNIST: its garments, or the log "
            "that the source notebook prints. These networks learned from other data, so it is "
            "left out.",
            **config.evergreen_aside,
        }


def prepared(app: Sphinx) -> Prepared:
    """Return what this build has prepared."""
    return _prepared[id(app)]


def _prepare(app: Sphinx, lessons: Lessons) -> None:
    # A study that no page shows need not be up to date. The home page shows one if it is.
    shown = set(lessons.importing(studies.__name__)) - {app.config.root_doc}
    stored = stored_studies(lessons, shown) if shown else []
    agreement.check(lessons.programs())
    week = os.environ.get(WEEK_VARIABLE)
    sample = spot_checks.sample(stored, week)
    measurement, measured = spot_checks.sample_measured(stored, week) or (None, [])
    beside = [one.recipe for one in measured]
    began = time.time()
    # A measurement would train its runs itself, each in a process of a process.
    trained = runs.load_all([*recipes.course(), *sample, *beside])
    _note(app, trained, began)
    course = trained[: len(recipes.course())]
    # Each may fail by chance at half the rate.
    checks = spot_checks.check(stored, trained, ERROR_RATE / 2)
    if measurement:
        again = measurement.measure_all(beside)
        checks.append(
            spot_checks.check_measured(measurement.study, measured, again, ERROR_RATE / 2)
        )
    _prepared[id(app)] = Prepared(course, stored, checks)


def stored_studies(lessons: Lessons, shown: Iterable[str]) -> list[studies.Study]:
    """Return the stored studies, or leave out the lessons that show them of other data.

    Parameters
    ----------
    lessons : Lessons
    shown : iterable of str
        The names of the lessons that show them.

    Raises
    ------
    bnlab.studies.StudyError
        If some of the present data are out of date. It names all of them.
    """
    found, wrong = [], []
    for name in studies.stored():
        try:
            found.append(studies.load(name, strict=True))
        except studies.StudyError as error:
            wrong.append(str(error))
    if not wrong:
        return found
    if not studies.of_other_data():
        raise studies.StudyError("\n".join(wrong))
    for name in sorted(shown):
        lessons.leave_out(
            name,
            "it shows studies, and the stored ones are of Fashion-MNIST. `make study` makes them "
            "of the present data, and takes long.",
        )
    return []


def _note(app: Sphinx, trained: Sequence[runs.Run], began: float) -> None:
    """Note when the runs were trained that this build has trained."""
    for run in trained:
        end = datetime.datetime.fromisoformat(run.provenance["finished"]).timestamp()
        if end >= began:
            begin = max(began, end - run.provenance["seconds"])
            timeline.note(app, timeline.PREPARING, str(run.recipe), begin, end)
