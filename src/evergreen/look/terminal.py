"""The colours of a terminal's text, legible on the grounds that outputs stand on.

MyST-NB gives such a text the colours of Jupyter, the same in the light and in the dark.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from evergreen.look import stylesheet
from evergreen.look.stylesheet import Rule

GROUNDS = {"": "#f3f4f5", 'html[data-theme="dark"] ': "#29313d"}
"""The theme's grounds of outputs, by what a selector begins with there."""

CONTRAST = 4.5
"""What the Web Content Accessibility Guidelines 2.2 ask for in 1.4.3, for level AA."""

# MyST-NB's own: what an author writes of such colours is left as it is.
_TERMINAL = re.compile(r"(div\.highlight )?\.-Color\[class\*=-\w+\]")
_COLOUR = re.compile("#[0-9a-fA-F]{6}")
_STEPS = 20


def legible(rule: Rule) -> Iterator[Rule]:
    """Return a rule as it is, or those that take its place if it colours a terminal's text."""
    declared = list(stylesheet.declarations([rule]))
    if not (
        _TERMINAL.fullmatch(rule.prelude)
        and {name for name, _ in declared} <= {"color", "background-color"}
        and all(_COLOUR.fullmatch(value) for _, value in declared)
    ):
        yield rule
        return
    for name, value in declared:
        if name == "color":
            for theme, ground in GROUNDS.items():
                yield Rule(f"{theme}{rule.prelude}", [(name, _on(ground, value))])
        else:
            yield Rule(rule.prelude, [(name, value)])
            # Of no weight, for a text that has a colour of its own.
            letters = max("#000000", "#ffffff", key=lambda colour: _contrast(colour, value))
            yield Rule(f":where({rule.prelude})", [("color", letters)])


def _on(ground: str, colour: str) -> str:
    """Return the colour next to one, towards black or white, that is legible on a ground."""
    end = max("#000000", "#ffffff", key=lambda end: _contrast(end, ground))
    nearer = (_mixed(colour, end, step / _STEPS) for step in range(_STEPS + 1))
    return next(mixed for mixed in nearer if _contrast(mixed, ground) >= CONTRAST)


def _mixed(colour: str, end: str, share: float) -> str:
    parts = zip(_parts(colour), _parts(end), strict=True)
    return "#" + "".join(f"{round(a + share * (b - a)):02x}" for a, b in parts)


def _contrast(a: str, b: str) -> float:
    """Return the ratio that the guidelines define, from 1 to 21."""
    darker, lighter = sorted((_luminance(a), _luminance(b)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    shares = (part / 255 for part in _parts(colour))
    red, green, blue = (
        share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _parts(colour: str) -> tuple[int, ...]:
    return tuple(bytes.fromhex(colour.removeprefix("#")))
