"""The drawings."""

from __future__ import annotations

from collections import Counter

from IPython.display import SVG

from toy.walks import Crowd

WIDTH, HEIGHT, BAR = 480, 160, 12


def ends(crowd: Crowd) -> SVG:
    """Draw how many walkers end where, in bars of a few places each."""
    bars = Counter(end // BAR for end in crowd.ends)
    scale, highest, centre = WIDTH / (max(map(abs, bars)) * 2 + 2), max(bars.values()), WIDTH / 2
    drawn = "".join(
        f'<rect x="{centre + place * scale:.1f}" y="{HEIGHT - count / highest * HEIGHT:.1f}" '
        f'width="{scale * 0.9:.1f}" height="{count / highest * HEIGHT:.1f}" fill="#4c72b0"/>'
        for place, count in sorted(bars.items())
    )
    return SVG(
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}">{drawn}</svg>'
    )
