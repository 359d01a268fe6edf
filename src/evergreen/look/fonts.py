"""Fonts with the characters that a site shows, and no others."""

from __future__ import annotations

import io
import logging
import unicodedata
from collections.abc import Iterable
from pathlib import Path

# fontTools is loaded where it is used: a build that writes nothing need not wait for it.


def is_for_formulas(path: Path) -> bool:
    """Tell whether a font knows how to lay out formulas."""
    from fontTools.ttLib import TTFont

    with TTFont(path, lazy=True) as font:
        return "MATH" in font


def cut(path: Path, characters: Iterable[str]) -> bytes | None:
    """Return a font with these characters alone, as WOFF, or None if it has none of them.

    WOFF and not WOFF2: at a few kilobytes the better compression saves little, and it would
    need a package more.
    """
    from fontTools import subset

    logging.getLogger("fontTools").setLevel(logging.WARNING)
    # Primes and script letters as formulas.css asks for them.
    options = subset.Options(flavor="woff", hinting=False, layout_features=["ss01", "ss04"])
    options.name_IDs = ["*"]  # the licence is among them
    with subset.load_font(str(path), options) as font:
        wanted = {ord(character) for character in characters} & font.getBestCmap().keys()
        if not wanted - {ord(" ")}:
            return None
        subsetter = subset.Subsetter(options)
        subsetter.populate(unicodes=wanted)
        subsetter.subset(font)
        file = io.BytesIO()
        subset.save_font(font, file, options)
    return file.getvalue()


def drawn(text: str) -> set[str]:
    """Return the characters that a formula's text is drawn with.

    A browser draws a variable in italics, which in Unicode are characters of their own, a
    hyphen as a minus, and a root with a sign that no text has.
    """
    return {"√", "−", *(form for character in set(text) for form in _forms(character))}


def _forms(character: str) -> str:
    return character + _ITALICS.get(character, "")


_ITALICS = {"h": "\u210e"}  # the Planck constant
for _code in (*range(0x1D434, 0x1D468), *range(0x1D6E2, 0x1D71C)):
    _plain = unicodedata.normalize("NFKC", chr(_code))
    _ITALICS[_plain] = _ITALICS.get(_plain, "") + chr(_code)
