"""The page "About this build": what made the numbers, when, where and how long it took."""

from __future__ import annotations

import hashlib
import importlib.metadata
import platform
import statistics
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from docutils import nodes
from sphinx import addnodes
from sphinx.util.docutils import SphinxDirective

from bnlab import catalogue, data, recipes, runs
from bnlab.recipes import Recipe
from bnlab.site.prepare import prepared
from bnlab.site.rounding import ERROR_RATE, LEAST
from bnlab.site.spot_checks import SpotCheck
from bnlab.studies import Study
from bnlab.studies.results import LIMIT, TIMES
from evergreen import checkout
from evergreen.lessons import preparation
from evergreen.state import Kept, watch

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

LIBRARIES = (
    "tensorflow",
    "keras",
    "numpy",
    "matplotlib",
    "seaborn",
    "pandas",
    "jupyter-book",
    "sphinx",
    "myst-nb",
    "nbclient",
)
"""The distributions that the page names; the lock names all."""


class Code(str):
    """Text in a typewriter's letters."""


class Page(str):
    """A page's name, for a link to it."""


class Items(NamedTuple):
    """A list: what each item is about, and its value."""

    rows: Sequence[tuple[str, str]]


class Table(NamedTuple):
    """A table: its header, and its rows."""

    header: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]


Part = str | Items | Table

_PROVENANCE: Kept[dict[str, list[Part]]] = Kept("provenance")


def setup(app: Sphinx) -> None:
    """Connect this part to Sphinx."""
    app.add_directive("build-provenance", Provenance)
    watch(app, _PROVENANCE, _collect, _showing)


class Provenance(SphinxDirective):
    """``{build-provenance} PART``: one of the page's tables, from this build.

    All of it is text, whatever stands in it, since some comes from stored files.
    """

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return the table as nodes."""
        self.env.metadata[self.env.docname]["provenance"] = True
        parts = _PROVENANCE.of(self.env)
        if self.arguments[0] not in parts:
            raise self.error(f"Choose one of {', '.join(parts)}, not {self.arguments[0]}.")
        return [node(part, self.env.docname) for part in parts[self.arguments[0]]]


def node(part: Part, page: str) -> nodes.Element:
    """Return a part of a page as a node of its document."""
    match part:
        case Items(rows):
            lines = [[nodes.Text(f"{what}: "), _text(value, page)] for what, value in rows]
            items = [nodes.list_item("", nodes.paragraph("", "", *line)) for line in lines]
            return nodes.bullet_list("", *items)
        case Table(header, rows):
            # As MyST-Parser makes it.
            widths = [nodes.colspec(colwidth=100 // len(header)) for _ in header]
            head = nodes.thead("", _row(header, page))
            body = nodes.tbody("", *(_row(row, page) for row in rows))
            group = nodes.tgroup("", *widths, head, body, cols=len(header))
            return nodes.table("", group, classes=["colwidths-auto"])
        case _:
            return nodes.paragraph("", part)


def _row(cells: Sequence[str], page: str) -> nodes.row:
    row = nodes.row()
    for column, cell in enumerate(cells):
        side = "text-right" if column else "text-left"
        row += nodes.entry("", nodes.paragraph("", "", _text(cell, page)), classes=[side])
    return row


def _text(text: str, page: str) -> nodes.Node:
    match text:
        case Code():
            return nodes.literal("", text)
        case Page():
            name = nodes.inline("", text)
            about = {"refdomain": "std", "reftype": "doc", "reftarget": f"/{text}"}
            return addnodes.pending_xref("", name, refdoc=page, refexplicit=False, **about)
        case _:
            return nodes.Text(text)


def _collect(app: Sphinx) -> dict[str, list[Part]]:
    found = prepared(app)
    return {
        "source": _source(checkout.folder(app)),
        "machine": _machine(),
        "libraries": _libraries(),
        "recipes": _recipes(),
        "runs": _runs(found.course),
        "epochs": _epochs(found.course),
        "lessons": _lessons(app.env),
        "studies": _studies(found.studies),
        "spot_checks": _spot_checks(found.spot_checks),
    }


def _showing(env: BuildEnvironment) -> list[str]:
    return [name for name, metadata in env.metadata.items() if metadata.get("provenance")]


def _table(header: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> Table:
    return Table(
        header,
        [tuple(cell if isinstance(cell, str) else str(cell) for cell in row) for row in rows],
    )


def _commit(folder: Path) -> str:
    """Return the commit that a checkout is at, and whether anything in it was changed."""
    revision = checkout.commit(folder)
    if revision is None:
        return "unknown (not a git checkout)"
    changed = checkout.git(folder, "status", "--porcelain")
    return f"{revision} with uncommitted changes" if changed else revision


def _source(folder: Path) -> list[Part]:
    lock = folder / "requirements.txt"
    rows = [("Commit", Code(_commit(folder))), ("Data, SHA-256", Code(data.digest()))]
    if lock.is_file():
        rows.append(("Lock, SHA-256", Code(hashlib.sha256(lock.read_bytes()).hexdigest())))
    return [Items(rows)]


def _machine() -> list[Part]:
    rows = [
        ("Processor", runs.processor()),
        ("System", platform.platform()),
        ("Python", platform.python_version()),
    ]
    return [Items(rows)]


def _libraries() -> list[Part]:
    table = _table(
        ("Library", "Version"),
        [(name, importlib.metadata.version(name)) for name in LIBRARIES],
    )
    return [table]


def _recipes() -> list[Part]:
    def row(network: catalogue.Network) -> tuple[object, ...]:
        of_network = [recipe for recipe in recipes.course() if recipe.network == network.name]
        chosen = of_network[0]
        seeds = ", ".join(str(recipe.seed) for recipe in of_network)
        return (
            network.title,
            seeds,
            chosen.epochs,
            chosen.batch_size,
            f"{chosen.learning_rate:g}",
        )

    table = _table(
        ("Network", "Seeds", "Epochs", "Batch size", "Learning rate"),
        map(row, catalogue.NETWORKS.values()),
    )
    return [table]


def _runs(course: Sequence[runs.Run]) -> list[Part]:
    processors = sorted({run.provenance["processor"] for run in course})
    table = _table(
        ("Run", "Seconds", "Finished (UTC)", "Key"),
        [
            (
                run.recipe,
                f"{run.provenance['seconds']:.1f}",
                _minute(run.provenance["finished"]),
                Code(run.key[:12]),
            )
            for run in course
        ],
    )
    return [f"Trained on {'; '.join(processors)}.", table]


def _minute(time: str) -> str:
    """Return an ISO 8601 time to the minute."""
    return time[:16].replace("T", " ")


def _epochs(course: Sequence[runs.Run]) -> list[Part]:
    """Seconds an epoch by network, the first left out: it includes compiling."""
    medians = {
        name: statistics.median(
            seconds
            for run in course
            if run.recipe.network == name
            for seconds in run.provenance["epoch_seconds"][1:]
        )
        for name in catalogue.NETWORKS
    }
    first = next(iter(medians.values()))
    table = _table(
        ("Network", "Seconds an epoch (median)", "Ratio to the baseline"),
        [
            (catalogue.find(name).title, f"{seconds:.2f}", f"{seconds / first:.2f}")
            for name, seconds in medians.items()
        ],
    )
    return [table]


def _lessons(env: BuildEnvironment) -> list[Part]:
    table = _table(
        ("Lesson", "Seconds", "Finished (UTC)", "Key"),
        [
            (
                Page(name),
                f"{execution.seconds:.1f}",
                _minute(execution.finished),
                Code(execution.key[:12]),
            )
            for name, execution in preparation.EXECUTIONS.of(env).items()
        ],
    )
    return [table]


def _studies(studies: Sequence[Study]) -> list[Part]:
    if not studies:
        return ["No page of this build shows a stored study."]
    table = _table(
        ("Study", "Runs", "Minutes", "Finished (UTC)"),
        [
            (
                Code(study.sweep.name),
                len(study.results),
                f"{sum(result.seconds for result in study.results) / 60:.0f}",
                _minute(study.finished),
            )
            for study in studies
        ],
    )
    versions = sorted({f"{name} {v}" for study in studies for name, v in study.versions.items()})
    names = {digest: name for study in studies for digest, name in study.machines.items()}
    rounding = {one.machine for study in studies for one in study.roundings}
    training = names.keys() - (rounding - {r.machine for study in studies for r in study.results})
    return [
        f"Computed with {', '.join(versions)}, on {_named(training, names)}.",
        table,
        *_sensitive(studies, _named(rounding, names)),
    ]


def _named(machines: Iterable[str], names: Mapping[str, str]) -> str:
    return "; ".join(sorted({names.get(machine, "an unnamed machine") for machine in machines}))


def _sensitive(studies: Sequence[Study], machines: str) -> list[Part]:
    """Name the settings that pages mark because rounding decides how their runs end."""
    rows = dict.fromkeys(
        (_setting(result.recipe), Code(study.sweep.name))
        for study in studies
        for result in study.results
        if result.sensitive
    )
    explained = (
        f"Each setting's first seed was also trained, on {machines}, with the pixels, and with "
        "the initial weights, rounded differently in the last bit, and where seeds differ much, "
        "every seed. "
        f"Rounding decides how a run ends where that alone moved it by more than {LIMIT:.0%} of "
        f"the images and {TIMES} times as far as two seeds usually are apart, or let it diverge."
    )
    if not rows:
        return [f"{explained} That happened nowhere."]
    return [explained, _table(("Setting in which rounding decides", "Study"), rows)]


def _setting(recipe: Recipe) -> str:
    named = str(recipe).removesuffix(f", seed {recipe.seed}")
    return f"{named}, {recipe.epochs} epoch{'s' if recipe.epochs > 1 else ''}"


def _spot_checks(checks: Sequence[SpotCheck]) -> list[Part]:
    if not checks:
        return ["No stored run was trained again."]
    explained = (
        f"By chance alone fewer than one build in {1 / ERROR_RATE:,.0f} would fail, "
        "even if rounding did to a run what another seed does. A difference up to "
        f"{LEAST:g} is always allowed. Where rounding decides how a run ends, "
        "nothing is compared."
    )
    table = _table(
        ("Setting", "Studies", "Stored", "Again", "Difference", "Allowed"),
        [
            (
                _setting(check.recipe),
                ", ".join(check.studies),
                f"{check.stored:.4f}",
                f"{check.again:.4f}",
                f"{check.stored - check.again:+.4f}",
                _allowed(check),
            )
            for check in checks
        ],
    )
    return [explained, table]


def _allowed(check: SpotCheck) -> str:
    if check.allowed is None:
        return "not compared"
    return f"±{check.allowed:.4f}" if check.allowed else "none"
