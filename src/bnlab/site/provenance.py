"""The page "About this build": what made the numbers, when, where and how long it took."""

from __future__ import annotations

import hashlib
import importlib.metadata
import platform
import statistics
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.util.docutils import SphinxDirective

from bnlab import catalogue, data, recipes, runs
from bnlab.site.prepare import prepared
from bnlab.site.spot_checks import SpotCheck
from bnlab.studies import Study
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


_PROVENANCE: Kept[dict[str, str]] = Kept("provenance")


def setup(app: Sphinx) -> None:
    """Connect this part to Sphinx."""
    app.add_directive("build-provenance", Provenance)
    watch(app, _PROVENANCE, _collect, _showing)


class Provenance(SphinxDirective):
    """``{build-provenance} PART``: one of the page's tables, from this build."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return the table as nodes."""
        self.env.metadata[self.env.docname]["provenance"] = True
        parts = _PROVENANCE.of(self.env)
        if self.arguments[0] not in parts:
            raise self.error(f"Choose one of {', '.join(parts)}, not {self.arguments[0]}.")
        container = nodes.container()
        text = StringList(parts[self.arguments[0]].splitlines(), source=self.env.docname)
        self.state.nested_parse(text, self.content_offset, container)
        return container.children


def _collect(app: Sphinx) -> dict[str, str]:
    found = prepared(app)
    return {
        "source": _source(Path(app.srcdir).resolve().parent),
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


def _table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    numbers = [":---" if column == 0 else "---:" for column in range(len(header))]
    return "\n".join(f"| {' | '.join(map(str, row))} |" for row in (header, numbers, *rows))


def _list(rows: Iterable[tuple[str, str]]) -> str:
    return "\n".join(f"- {what}: {value}" for what, value in rows)


def _commit(folder: Path) -> str:
    """Return the commit that a checkout is at, and whether anything in it was changed."""
    revision = checkout.commit(folder)
    if revision is None:
        return "unknown (not a git checkout)"
    changed = checkout.git(folder, "status", "--porcelain")
    return f"{revision} with uncommitted changes" if changed else revision


def _source(folder: Path) -> str:
    lock = folder / "requirements.txt"
    rows = [("Commit", f"`{_commit(folder)}`"), ("Data, SHA-256", f"`{data.digest()}`")]
    if lock.is_file():
        rows.append(("Lock, SHA-256", f"`{hashlib.sha256(lock.read_bytes()).hexdigest()}`"))
    return _list(rows)


def _machine() -> str:
    return _list(
        [
            ("Processor", runs.processor()),
            ("System", platform.platform()),
            ("Python", platform.python_version()),
        ]
    )


def _libraries() -> str:
    return _table(
        ("Library", "Version"),
        [(name, importlib.metadata.version(name)) for name in LIBRARIES],
    )


def _recipes() -> str:
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

    return _table(
        ("Network", "Seeds", "Epochs", "Batch size", "Learning rate"),
        map(row, catalogue.NETWORKS.values()),
    )


def _runs(course: Sequence[runs.Run]) -> str:
    processors = sorted({run.provenance["processor"] for run in course})
    table = _table(
        ("Run", "Seconds", "Finished (UTC)", "Key"),
        [
            (
                run.recipe,
                f"{run.provenance['seconds']:.1f}",
                _minute(run.provenance["finished"]),
                f"`{run.key[:12]}`",
            )
            for run in course
        ],
    )
    return f"Trained on {'; '.join(processors)}.\n\n{table}"


def _minute(time: str) -> str:
    """Return an ISO 8601 time to the minute."""
    return time[:16].replace("T", " ")


def _epochs(course: Sequence[runs.Run]) -> str:
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
    return _table(
        ("Network", "Seconds an epoch (median)", "Ratio to the baseline"),
        [
            (catalogue.find(name).title, f"{seconds:.2f}", f"{seconds / first:.2f}")
            for name, seconds in medians.items()
        ],
    )


def _lessons(env: BuildEnvironment) -> str:
    return _table(
        ("Lesson", "Seconds", "Finished (UTC)", "Key"),
        [
            (
                f"{{doc}}`/{name}`",
                f"{execution.seconds:.1f}",
                _minute(execution.finished),
                f"`{execution.key[:12]}`",
            )
            for name, execution in preparation.EXECUTIONS.of(env).items()
        ],
    )


def _studies(studies: Sequence[Study]) -> str:
    if not studies:
        return "No page of this build shows a stored study."
    table = _table(
        ("Study", "Runs", "Minutes", "Finished (UTC)"),
        [
            (
                f"`{study.sweep.name}`",
                len(study.results),
                f"{sum(result.seconds for result in study.results) / 60:.0f}",
                _minute(study.finished),
            )
            for study in studies
        ],
    )
    versions = sorted({f"{name} {v}" for study in studies for name, v in study.versions.items()})
    machines = sorted({name for study in studies for name in study.machines.values()})
    return f"Computed with {', '.join(versions)}, on {'; '.join(machines)}.\n\n{table}"


def _spot_checks(checks: Sequence[SpotCheck]) -> str:
    if not checks:
        return "No stored run was trained again."
    course = set(recipes.course())
    own = [check for check in checks if check.recipe in course]
    rows = [
        (
            check.recipe,
            f"`{check.study}`",
            f"{check.stored:.4f}",
            f"{check.again:.4f}",
            _difference([check]),
        )
        for check in checks
        if check.recipe not in course
    ]
    return _table(
        ("Stored run", "Study", "Stored", "Again", "Largest difference"),
        [*rows, (f"The {len(course)} runs of the course", "all", "", "", _difference(own))],
    )


def _difference(checks: Sequence[SpotCheck]) -> str:
    if all(check.exact for check in checks):
        return "none"
    return f"{max(check.difference for check in checks):.1e}"
