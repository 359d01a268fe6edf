"""A teacher enters a network in two files: the site builds, and shows it wherever it shows all."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import NamedTuple

import pytest
from package import python
from website import Build, build, copy_project, replace, soup, stored_runs

from bnlab import recipes, runs
from bnlab.catalogue import NETWORKS

pytestmark = [pytest.mark.site, pytest.mark.copies]

Course = dict[str, list[runs.Run]]

ENTRIES = """
        Network(
            name="dropping",
            title="BN with dropout",
            short="Dropping",
            color="#0b7a3e",
            dark_color="#5fd08f",
            marker="v",
            dash=":",
            hatch="xx",
            hidden=(30, 20),
            normalization="before activation",
            normalizes_inputs=True,
            bias=False,
            dropout=0.2,
        ),
        Network(
            name="deeper",
            title="BN, one layer more",
            short="Deeper",
            color="#8a1c7c",
            dark_color="#f09be6",
            marker="P",
            dash="-",
            hatch="oo",
            hidden=(30, 20, 15),
            normalization="after activation",
        ),
    )
}
\"\"\"The networks by name"""
BUILDERS = """def dropping() -> keras.Sequential:
    return keras.Sequential(
        [
            layers.Input((28, 28)),
            layers.Flatten(),
            layers.BatchNormalization(),
            layers.Dense(30, use_bias=False),
            layers.BatchNormalization(),
            layers.Activation("relu"),
            layers.Dropout(0.2),
            layers.Dense(20, use_bias=False),
            layers.BatchNormalization(),
            layers.Activation("relu"),
            layers.Dropout(0.2),
            layers.Dense(10, activation="softmax"),
        ],
        name="dropping",
    )


def deeper() -> keras.Sequential:
    return keras.Sequential(
        [
            layers.Input((28, 28)),
            layers.Flatten(),
            layers.Dense(30, activation="relu"),
            layers.BatchNormalization(),
            layers.Dense(20, activation="relu"),
            layers.BatchNormalization(),
            layers.Dense(15, activation="relu"),
            layers.BatchNormalization(),
            layers.Dense(10, activation="softmax"),
        ],
        name="deeper",
    )


def summary("""
ADDED = {
    "dropping": ("BN with dropout", "Dropping"),
    "deeper": ("BN, one layer more", "Deeper"),
}
CONTENTS = """format: jb-book
root: index
chapters:
  - file: lessons/parameter_arithmetic
  - file: lessons/comparison
  - file: live
  - file: run_it_yourself
  - file: claims
  - file: about
  - file: bibliography
"""
STUDIES = """
from bnlab import studies

for name in studies.stored():
    studies.load(name, strict=True)
"""


class Copy(NamedTuple):
    """A copy of the project, and what came of its build."""

    project: Path
    built: Build
    trained: int

    def text(self, page: str) -> str:
        return soup(self.built.html / f"{page}.html").select_one("article").get_text(" ")


@pytest.fixture(scope="module")
def copy(course: Course, tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """The project with two more networks, and with those pages that show all networks."""
    folder = tmp_path_factory.mktemp("copy")
    project = copy_project(folder / "project")
    source = project / "src" / "bnlab"
    replace(source / "catalogue.py", '\n    )\n}\n"""The networks by name', ENTRIES)
    replace(source / "networks.py", "def summary(", BUILDERS)
    (project / "_toc.yml").write_text(CONTENTS, "utf-8")
    results = folder / "results"
    for run in (run for of_network in course.values() for run in of_network):
        shutil.copytree(run.folder, results / "runs" / run.key)
    before = stored_runs(results)
    built = build(project, results=results)
    return Copy(project, built, len(stored_runs(results) - before))


def test_the_site_builds_and_trains_the_new_networks_alone(copy: Copy) -> None:
    assert copy.built.status == 0, copy.built.output
    assert copy.trained == len(ADDED) * len(recipes.SEEDS)


def test_no_study_becomes_stale(copy: Copy) -> None:
    python(STUDIES, copy.project / "src")


def test_the_build_says_once_what_trains_with_keras_s_fit(copy: Copy) -> None:
    assert copy.built.output.count("Keras's own fit trains BN with dropout") == 1
    assert "Keras's own fit trains BN, one layer more" not in copy.built.output


@pytest.mark.parametrize("title", ADDED.values(), ids=ADDED)
def test_every_page_that_shows_all_networks_shows_it(copy: Copy, title: tuple[str, str]) -> None:
    long, short = title
    for page, shown in (
        ("index", long),
        ("lessons/comparison", short),
        ("lessons/parameter_arithmetic", short),
        ("about", long),
    ):
        assert shown in copy.text(page), page


@pytest.mark.parametrize("network", ADDED)
def test_figures_of_all_networks_draw_it(copy: Copy, network: str) -> None:
    for page in ("index", "lessons/comparison"):
        shown = (copy.built.html / f"{page}.html").read_text("utf-8")
        drawn = [
            path.name
            for path in (copy.built.html / "_images").glob("*.svg")
            if path.name in shown and f"var(--bn-{network}, " in path.read_text("utf-8")
        ]
        assert drawn or f"var(--bn-{network}, " in shown, page


def test_the_browser_gets_all_networks(copy: Copy) -> None:
    contents = json.loads((copy.built.html / "_static/live/networks.json").read_text("utf-8"))
    assert [network["name"] for network in contents["networks"]] == [*NETWORKS, *ADDED]
    place = soup(copy.built.html / "lessons/parameter_arithmetic.html").select_one(
        '[data-live="calculator"]'
    )
    described = json.loads(place["data-networks"])
    assert [network["depth"] for network in described] == [2, 2, 2, 2, 3]
