"""What the scripts on this course's pages compute with: its networks, and their structure."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bnlab import catalogue, portable
from evergreen.look import markup, places
from evergreen.state import Kept, watch

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

_EXPORTED: Kept[str] = Kept("networks in the browser")


def setup(app: Sphinx) -> None:
    """Connect this part to Sphinx."""
    watch(app, _EXPORTED, _exported, _showing, event="env-get-updated")
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


def _exported(app: Sphinx) -> str:
    return portable.exported().name if _showing(app.env) else ""


def _showing(env: BuildEnvironment) -> list[str]:
    return places.showing(env, "networks")


def _copy(app: Sphinx, error: Exception | None) -> None:
    """Copy the networks into the site if they have changed."""
    if error is not None or app.builder.format != "html" or not _exported(app):
        return
    for source in portable.files(portable.exported()):
        copy = Path(app.outdir, markup.LIVE, source.name)
        if not copy.is_file() or copy.read_bytes() != source.read_bytes():
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, copy)
