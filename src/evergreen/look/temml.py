"""LaTeX to MathML by Temml, which runs in V8, in one process for all formulas of a build.

A process apart, since Sphinx may fork and V8 may not be forked. It is started by the first
formula that a build needs, and ends with the build. This file is both ends: run as a program, it
is the process.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

SOURCE = Path(__file__).parent / "vendor" / "temml.min.js"
"""Temml as its makers publish it on npm."""

_RENDER = r"""
const PARTS = new Set(["munder", "mover", "munderover", "msub", "msup", "msubsup", "mfrac"]);
// \\operatorname within \\underset gives the element too many children (Temml 0.13, unreported).
const group = (node) => {
  const children = node.children ?? [];
  children.forEach((child, index) => {
    group(child);
    if (PARTS.has(node.type) && child.children && !("type" in child)) {
      children[index] = new node.constructor("mrow", child.children);
    }
  });
  return node;
};
const render = (asked) => JSON.stringify(JSON.parse(asked).map(([latex, displayMode]) => {
  try {
    const options = { displayMode, throwOnError: true };
    return [true, group(temml.__renderToMathMLTree(latex, options)).toMarkup()];
  } catch (error) {
    if (!(error instanceof temml.ParseError)) throw error;
    return [false, error.message];
  }
}));
"""


class TemmlError(Exception):
    """Temml cannot read a formula; the message is its own."""


class Temml:
    """Turns formulas into MathML, each of them once."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, bool], tuple[bool, str]] = {}
        self._process: subprocess.Popen[str] | None = None
        self._owner = 0

    def prepare(self, formulas: Iterable[tuple[str, bool]]) -> None:
        """Turn many formulas at once.

        Parameters
        ----------
        formulas : iterable of tuple
            The LaTeX of each, and whether it is displayed.
        """
        new = [formula for formula in dict.fromkeys(formulas) if formula not in self._known]
        if new:
            self._known.update(zip(new, self._ask(new), strict=True))

    def mathml(self, latex: str, *, display: bool) -> str:
        """Return a formula as MathML.

        Raises
        ------
        TemmlError
            If it cannot be read.
        """
        self.prepare([(latex, display)])
        read, text = self._known[latex, display]
        if not read:
            raise TemmlError(text)
        return text

    def close(self) -> None:
        """End the process, and forget all formulas."""
        self._known.clear()
        if self._process is not None and self._owner == os.getpid():
            self._process.communicate()
        self._process = None

    def _ask(self, formulas: list[tuple[str, bool]]) -> list[tuple[bool, str]]:
        # What a forked process inherits is its parent's.
        if self._process is None or self._owner != os.getpid():
            self._process = subprocess.Popen(
                [sys.executable, "-P", __file__],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                encoding="utf-8",
                env=os.environ | {"PYTHONIOENCODING": "utf-8"},
            )
            self._owner = os.getpid()
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        answer = ""
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(f"{json.dumps(formulas)}\n")
            self._process.stdin.flush()
            answer = self._process.stdout.readline()
        if not answer:
            from evergreen.errors import EvergreenError

            raise EvergreenError(
                "The formulas cannot be set, since V8 did not run; see above. It comes with the "
                "package mini-racer."
            )
        return [(read, text) for read, text in json.loads(answer)]


def _serve() -> None:
    """Answer each line of formulas with one of their MathML."""
    from py_mini_racer import MiniRacer

    with MiniRacer() as engine:
        engine.eval(SOURCE.read_text("utf-8"))
        engine.eval(_RENDER)
        for asked in sys.stdin:
            print(engine.call("render", asked), flush=True)


if __name__ == "__main__":
    _serve()
