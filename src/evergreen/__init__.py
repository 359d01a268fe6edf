"""Keep an executed book true: a Sphinx extension for any Jupyter Book.

A lesson's outputs, and what was computed for them, are shown only as long as they are what
the present code gives, and are made again only if they might not be. Import
:mod:`evergreen.claims` and :mod:`evergreen.store` where lessons run: they need no Sphinx.
"""

from __future__ import annotations

import gc
import logging
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx

__version__ = "0.1.0"

# Without a handler Python would write a notice to stderr, and so into a lesson.
logging.getLogger(__name__).addHandler(logging.NullHandler())


def _collect_less() -> None:
    """Let Python look for garbage where there is some, and not all the time.

    By now a thousand modules and the last build's environment are loaded, and stay: looking
    through them again and again takes a quarter of a build with nothing to do. And pages are
    trees of thousands of parts, which all stay until the page is done: at Python's own
    thresholds a third of the time to parse one goes into looking whether they do.
    """
    gc.freeze()
    gc.set_threshold(100_000, 50, 50)


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect the parts, those that look at finished pages last."""
    from evergreen import settings, stopping, timeline, upkeep
    from evergreen.lessons import preparation
    from evergreen.look import (
        assets,
        embedded,
        language,
        markup,
        mathml,
        metadata,
        places,
        thebe,
        toggles,
    )
    from evergreen.notebooks import launch, published
    from evergreen.pages import (
        anchors,
        claims,
        code,
        entries,
        equations,
        exclusive,
        extensions,
        files,
        footnotes,
        foreign,
        formulas,
        glued,
        in_html,
        incremental,
        left_out,
        leftovers,
        link_texts,
        mocked,
        myst,
        names,
        pictures,
        rows,
        search,
        shared,
        tags,
        warned,
    )

    for part in (
        settings,
        extensions,
        entries,
        warned,
        stopping,
        upkeep,
        exclusive,
        preparation,
        timeline,
        myst,
        foreign,
        footnotes,
        tags,
        glued,
        in_html,
        formulas,
        equations,
        mathml,
        embedded,
        code,
        files,
        shared,
        incremental,
        names,
        rows,
        pictures,
        anchors,
        link_texts,
        mocked,
        leftovers,
        search,
        left_out,
        claims,
        published,
        launch,
        places,
        metadata,
        thebe,
        toggles,
        language,
        markup,
        assets,
    ):
        part.setup(app)
    app.connect("builder-inited", lambda _app: _collect_less(), priority=0)
    # What parts of it gather in one process would be lost in another. Jupyter Book 1 itself
    # reads and writes in one: it brings extensions that do not say that they may be forked.
    return {"version": __version__, "parallel_read_safe": False, "parallel_write_safe": False}
