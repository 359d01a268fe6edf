"""What an author lets readers train: refused where the page would not understand it.

The page's own ``recipe.js`` reads it, in V8, so that there is one description of what can be
chosen. This file is both ends: run as a program, it is the process with V8, which may not be
forked, as Sphinx may be.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from docutils import nodes
    from sphinx.application import Sphinx

_PLACES = ("train", "experiment")

# What browsers have, and V8 alone has not.
_BROWSER = """
const decoded = (text) => {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    return text;
  }
};
class URLSearchParams {
  constructor(text) {
    this.pairs = text.split("&").filter(Boolean).map((pair) => {
      const [name, ...value] = pair.split("=");
      return [decoded(name), decoded(value.join("="))];
    });
  }

  [Symbol.iterator]() {
    return this.pairs.values();
  }
}
"""
_READ = """
const complaints = (asked) => {
  const { states, course } = JSON.parse(asked);
  return JSON.stringify(states.map((state) => parse(state, course).complaints));
};
"""


def setup(app: Sphinx) -> None:
    """Connect this part to Sphinx."""
    told: list[tuple[str, str]] = []
    app.connect("doctree-read", lambda app, doctree: told.extend(_told(app, doctree)))
    # One process for all pages that were read.
    app.connect("env-updated", lambda app, _env: _refuse(app, told))


def _told(app: Sphinx, doctree: nodes.document) -> Iterator[tuple[str, str]]:
    """Yield where a page describes experiments, and how."""
    from evergreen.look.places import Place
    from evergreen.pages import formulas

    for place in doctree.findall(Place):
        if place["name"] in _PLACES and "data-with" in place["told"]:
            state = place["told"]["data-with"]
            yield formulas.place(app.env, app.env.docname, place, state), state


def _refuse(app: Sphinx, told: Sequence[tuple[str, str]]) -> None:
    from bnlab import catalogue
    from bnlab.site import live
    from evergreen.errors import EvergreenError

    source = Path(app.srcdir, "_static", "live", "recipe.js")
    if not told or not source.is_file():
        return
    networks = [name for name, of in catalogue.NETWORKS.items() if live.trains(of)]
    found = complaints(source, [state for _, state in told], networks)
    wrong = [
        f"{where}: {' '.join(sentences)}"
        for (where, _), sentences in zip(told, found, strict=True)
        if sentences
    ]
    if wrong:
        raise EvergreenError("\n".join(wrong))


def complaints(source: Path, states: Sequence[str], networks: Sequence[str]) -> list[list[str]]:
    """Return what the page would say of experiments.

    Parameters
    ----------
    source : pathlib.Path
        The page's ``recipe.js``.
    states : sequence of str
        What follows the ``#`` of each experiment's address.
    networks : sequence of str
        The names of the networks that the page offers.

    Returns
    -------
    list of list of str
        For each experiment sentences on what cannot be.

    Raises
    ------
    subprocess.CalledProcessError
        If the script has a mistake.
    """
    asked = json.dumps({"states": states, "course": {name: {} for name in networks}})
    answer = subprocess.run(
        [sys.executable, "-P", __file__, source],
        input=asked,
        stdout=subprocess.PIPE,
        encoding="utf-8",
        check=True,
    )
    found: list[list[str]] = json.loads(answer.stdout)
    return found


def _serve(source: Path) -> None:
    """Answer for all experiments that are asked about."""
    from py_mini_racer import MiniRacer

    with MiniRacer() as engine:
        engine.eval(_BROWSER)
        engine.eval(source.read_text("utf-8").replace("export ", ""))
        engine.eval(_READ)
        print(engine.call("complaints", sys.stdin.read()))


if __name__ == "__main__":
    _serve(Path(sys.argv[1]))
