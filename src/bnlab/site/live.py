"""What the scripts on this course's pages compute with: networks, their structure, images."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bnlab import catalogue, data, parts, portable, recipes, runs
from evergreen.look import markup, places
from evergreen.state import Kept, watch

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

_EXPORTED: Kept[str] = Kept("networks in the browser")
_IMAGES: Kept[str] = Kept("images in the browser")


def setup(app: Sphinx) -> None:
    """Connect this part to Sphinx."""
    watch(app, _EXPORTED, _exported, _showing, event="env-get-updated")
    watch(app, _IMAGES, _images, _training, event="env-get-updated")
    # Before the files get their names (priority 900).
    app.connect("build-finished", _copy, priority=800)


def calculator(_root: str) -> dict[str, str]:
    """Return what the calculator finds in its place: all networks."""
    return structures(list(catalogue.NETWORKS.values()))


def structures(networks: Sequence[catalogue.Network]) -> dict[str, str]:
    """Return what the calculator counts: the widths of the deepest network, and all networks."""
    deepest = max(networks, key=lambda network: len(network.hidden))
    described = [
        {
            "title": network.short,
            "depth": len(network.hidden),
            "inputs": network.normalizes_inputs,
            "normalized": network.normalization != "none",
            "bias": network.bias,
        }
        for network in networks
    ]
    return {
        "data-widths": " ".join(map(str, deepest.widths)),
        "data-networks": json.dumps(described),
    }


def networks(root: str) -> dict[str, str]:
    """Return what the networks' script finds in its place: where they are, and their size."""
    return {
        "data-contents": f"{root}{markup.LIVE}/{portable.CONTENTS}",
        "data-count": str(len(catalogue.NETWORKS)),
        "data-size": f"{portable.size(portable.exported()) / 2**20:.1f}",
    }


def train(root: str) -> dict[str, str]:
    """Return what a training's script finds in its place: files, the course's networks and runs."""
    return {
        "data-images": f"{root}{markup.LIVE}/{parts.CONTENTS}",
        "data-page": _page_of_the_training(root),
        "data-networks": f"{root}live.html",
        "data-sizes": json.dumps(parts.sizes(parts.exported())),
        "data-classes": json.dumps(data.CLASSES),
        "data-course": json.dumps(
            [_described(name) for name, of in catalogue.NETWORKS.items() if trains(of)]
        ),
    }


def experiment(root: str) -> dict[str, str]:
    """Return what an experiment's script finds in its place: the page that can train it."""
    return {"data-page": _page_of_the_training(root)}


def _page_of_the_training(root: str) -> str:
    return f"{root}train.html"


def trains(network: catalogue.Network) -> bool:
    """Tell whether ``network.js`` can train a network as its entry says."""
    biased = network.normalization != "before activation"
    return not network.dropout and network.optimizer == "SGD" and network.bias == biased


def _described(name: str) -> dict[str, Any]:
    """Return a network of the course as a recipe for the browser, and how its runs went."""
    network = catalogue.find(name)
    recipe = recipes.Recipe(name)
    history = [run.history for run in runs.load_seeds(name)]
    where = {"after activation": "after", "before activation": "before"}
    return {
        "name": name,
        "title": network.title,
        "color": network.color,
        "dark": network.dark_color,
        "recipe": {
            "normalization": where.get(network.normalization, "none"),
            "pixels": "normalized" if network.normalizes_inputs else "raw",
            "activation": network.activation,
            "initializer": network.initializer,
            "scale": recipe.initial_scale,
            "hidden": network.hidden,
            "rate": recipe.learning_rate,
            "batch": recipe.batch_size,
            "order": "fresh" if recipe.reshuffle else "same",
            "decay": recipe.weight_decay,
            "momentum": 0.99,
            "seed": recipe.seed,
        },
        "band": {
            # As they say, for to read them all takes half a second of every build.
            "images": data.FILES["train-labels-idx1-ubyte.gz"][1][0] - data.VALID_SIZE,
            "epochs": recipe.epochs,
            **{
                metric: [
                    [round(edge, 5) for edge in (min(values), max(values))]
                    for values in zip(*(of_run[metric] for of_run in history), strict=True)
                ]
                for metric in ("loss", "val_accuracy")
            },
        },
    }


def _exported(app: Sphinx) -> str:
    return portable.exported().name if _showing(app.env) else ""


def _images(app: Sphinx) -> str:
    return parts.exported().name if _training(app.env) else ""


def _showing(env: BuildEnvironment) -> list[str]:
    return places.showing(env, "networks")


def _training(env: BuildEnvironment) -> list[str]:
    return places.showing(env, "train")


def _copy(app: Sphinx, error: Exception | None) -> None:
    """Copy networks and images into the site if they have changed."""
    if error is not None or app.builder.format != "html":
        return
    networks = portable.files(portable.exported()) if _exported(app) else []
    images = parts.files(parts.exported()) if _images(app) else []
    for source in (*networks, *images):
        copy = Path(app.outdir, markup.LIVE, source.name)
        if not copy.is_file() or copy.read_bytes() != source.read_bytes():
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, copy)
