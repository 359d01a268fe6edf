"""What a cell prints, as a terminal shows it, between the outputs that it was printed between."""

from __future__ import annotations

import re
from collections.abc import Iterable

import nbformat

_OVERWRITTEN = re.compile(r"[^\n]*\r(?!\n)(?=.)", re.DOTALL)
_ERASED = re.compile(r"[^\n\x08]\x08")


def merged(outputs: Iterable[nbformat.NotebookNode]) -> list[nbformat.NotebookNode]:
    """Return a cell's outputs with what is printed between two others as one text.

    It depends on the moment in how many pieces text arrives, and in what order stdout and stderr
    do. nbclient would put all of it before the first picture (``coalesce_streams``).

    Parameters
    ----------
    outputs : iterable of NotebookNode
        These are changed in place.
    """
    parts: list[nbformat.NotebookNode] = []
    streams: dict[str, nbformat.NotebookNode] = {}
    for output in outputs:
        if output.output_type != "stream":
            parts += [*_in_order(streams), output]
            streams = {}
        elif output.name in streams:
            streams[output.name].text += output.text
        else:
            streams[output.name] = output
    return [*parts, *_in_order(streams)]


def _in_order(streams: dict[str, nbformat.NotebookNode]) -> list[nbformat.NotebookNode]:
    for output in streams.values():
        output.text = _as_shown(output.text)
    return [streams[name] for name in sorted(streams, reverse=True)]  # stdout, stderr


def _as_shown(text: str) -> str:
    while (shorter := _ERASED.sub("", text)) != text:
        text = shorter
    return _OVERWRITTEN.sub("", text.replace("\x08", ""))
