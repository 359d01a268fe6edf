"""The course's networks, trained as a reader's browser does, end where the course's runs end."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from website import ROOT

from bnlab import catalogue, data, recipes, runs
from bnlab.site import live

TRAINED = [name for name, network in catalogue.NETWORKS.items() if live.trains(network)]
EACH_TIME = ("bn_approach_one", recipes.PAGE_SEED)  # each takes ten seconds and more
METRICS = ("loss", "val_loss", "val_accuracy")


@pytest.fixture(scope="module")
def parts(images: data.FashionMNIST, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Each part of the images in a file: labels, then pixels, as bytes."""
    folder = tmp_path_factory.mktemp("parts")

    def written(name: str) -> dict[str, str | int]:
        part = getattr(images, name)
        pixels = (255 * part.pixels).round().astype(np.uint8)
        (folder / name).write_bytes(part.labels.astype(np.uint8).tobytes() + pixels.tobytes())
        return {"file": str(folder / name), "count": len(part.labels)}

    return {name: written(name) for name in data.FashionMNIST._fields}


def trained(parts: dict[str, Any], name: str, seed: int) -> dict[str, Any]:
    """Let Node train a network of the course on all training images, by the course's recipe."""
    (recipe,) = (
        one["recipe"] for one in json.loads(live.train("")["data-course"]) if one["name"] == name
    )
    wanted = {**recipe, "seed": seed, "epochs": recipes.Recipe(name).epochs}
    job = {"parts": parts, "recipes": [wanted]}
    script = Path("tests", "node", "course.mjs")
    done = subprocess.run(
        ["node", script],
        cwd=ROOT,
        input=json.dumps(job),
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)[0]


def ends(run: runs.Run) -> dict[str, float]:
    return {
        **{metric: run.history[metric][-1] for metric in METRICS},
        "test_accuracy": float((run.test_predictions == data.load().test.labels).mean()),
    }


@pytest.mark.parametrize(
    ("name", "seed"),
    [
        pytest.param(name, seed, marks=[] if (name, seed) == EACH_TIME else pytest.mark.weekly)
        for name in TRAINED
        for seed in recipes.SEEDS
    ],
)
def test_a_seed_ends_within_the_band_of_the_course_s_runs_widened_by_its_width(
    node: None,
    course: dict[str, list[runs.Run]],
    parts: dict[str, Any],
    name: str,
    seed: int,
) -> None:
    found = trained(parts, name, seed)
    ours = {metric: found["history"][metric][-1] for metric in METRICS}
    ours["test_accuracy"] = found["test_accuracy"]
    theirs = [ends(run) for run in course[name]]
    outside = {}
    for metric, value in ours.items():
        values = [one[metric] for one in theirs]
        low, high = min(values), max(values)
        if not low - (high - low) <= value <= high + (high - low):
            outside[metric] = (value, low, high)
    assert not outside
