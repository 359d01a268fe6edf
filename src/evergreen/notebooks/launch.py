"""One menu on every lesson: open it in Colab, in Binder, or download it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from evergreen import checkout
from evergreen.notebooks import published

if TYPE_CHECKING:
    from docutils import nodes
    from sphinx.application import Sphinx


def setup(app: Sphinx) -> None:
    """Connect this part to Sphinx."""
    # The theme empties its list of buttons at 500, and adds its own at 501. Its own for Colab and
    # Binder cannot name a notebook that a build has made: sphinx-book-theme's issue 462.
    app.connect("html-page-context", _add_menu)
    app.connect("html-page-context", _name_source, priority=400)


def colab(repository: str, branch: str, path: str) -> str:
    """Return the address at which Colab opens a notebook of a repository on GitHub."""
    return f"https://colab.research.google.com/github/{repository}/blob/{branch}/{quote(path)}"


def binder(repository: str, branch: str, path: str) -> str:
    """Return the address at which Binder starts a repository on GitHub and opens a notebook."""
    # An address within an address.
    opened = quote(f"lab/tree/{quote(path)}")
    return f"https://mybinder.org/v2/gh/{repository}/{branch}?urlpath={opened}"


def _name_source(
    app: Sphinx, name: str, _template: str, context: dict[str, Any], tree: nodes.document | None
) -> None:
    """Name the folder in which a page's source lies in the repository, also behind a link.

    The theme's buttons for reading and editing the source add the page's name to it.
    """
    folder = checkout.folder(app)
    root = checkout.git(folder, "rev-parse", "--show-toplevel")
    said = str(context.get("doc_path") or ".").rstrip("/")
    if tree is None or (root is None and said not in (".", os.path.relpath(app.srcdir, folder))):
        return
    source = Path(app.env.doc2path(name)).resolve()
    own = f"{name}{source.suffix}"
    top = Path(root) if root else folder
    if source.is_relative_to(top) and f"/{source.as_posix()}".endswith(f"/{own}"):
        context["doc_path"] = source.relative_to(top).as_posix().removesuffix(own)


def _add_menu(
    app: Sphinx, name: str, _template: str, context: dict[str, Any], _tree: nodes.document | None
) -> None:
    if not published.is_lesson(app.env, name):
        return
    repository = checkout.name_on_github(published.address(app))
    path = published.paths(app.env)[name]
    branch, pathto = app.config.evergreen_branch, context["pathto"]
    help_page = pathto(app.config.evergreen_help_page) if app.config.evergreen_help_page else None

    def link(text: str, tooltip: str, icon: str, url: str) -> dict[str, str]:
        return {
            "type": "link",
            "text": text,
            "tooltip": tooltip,
            "icon": icon,
            "url": url,
            "label": f"launch-{text.lower()}",
        }

    addresses = (
        (colab(repository, branch, path), binder(repository, branch, path))
        if repository
        else (help_page, help_page)
    )
    # Icons of the font: the services' pictures weigh more than all icons together.
    context.setdefault("header_buttons", []).append(
        {
            "type": "group",
            "tooltip": "Run this lesson",
            "icon": "fas fa-rocket",
            "label": "launch-buttons",
            "buttons": [
                *(
                    link(service, f"Run this lesson on {service}", icon, url)
                    for service, icon, url in zip(
                        ("Colab", "Binder"), ("fas fa-play", "fas fa-flask"), addresses, strict=True
                    )
                    if url
                ),
                link(
                    "Download",
                    "Download this lesson as a notebook",
                    "fas fa-download",
                    pathto(quote(path), 1),
                ),
            ],
        }
    )
