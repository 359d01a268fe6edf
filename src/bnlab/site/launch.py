"""One menu on every lesson: open it in Colab, in Binder, or download it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bnlab.site import checkout, published

if TYPE_CHECKING:
    from docutils import nodes
    from sphinx.application import Sphinx

BRANCH = "notebooks"
"""The branch that the publishing workflow pushes: the project, with its notebooks."""

HELP = "run_it_yourself"
"""The page that says what to do where nobody has published the course yet."""


def setup(app: Sphinx) -> None:
    """Connect this part to Sphinx."""
    # The theme empties its list of buttons at 500, and adds its own at 501.
    app.connect("html-page-context", _add_menu)


def colab(repository: str, path: str) -> str:
    """Return the address at which Colab opens a notebook of a repository on GitHub."""
    return f"https://colab.research.google.com/github/{repository}/blob/{BRANCH}/{path}"


def binder(repository: str, path: str) -> str:
    """Return the address at which Binder starts a repository on GitHub and opens a notebook."""
    return f"https://mybinder.org/v2/gh/{repository}/{BRANCH}?urlpath=lab/tree/{path}"


def _add_menu(
    app: Sphinx, name: str, _template: str, context: dict[str, Any], _tree: nodes.document | None
) -> None:
    if not published.is_lesson(app.env, name):
        return
    repository = checkout.name_on_github(published.address(app))
    path = published.path_of(name)
    pathto = context["pathto"]

    def link(text: str, tooltip: str, icon: str, url: str) -> dict[str, str]:
        return {
            "type": "link",
            "text": text,
            "tooltip": tooltip,
            "icon": icon,
            "url": url,
            "label": f"launch-{text.lower()}",
        }

    # Icons of the font: the services' pictures weigh more than all icons together.
    context["header_buttons"].append(
        {
            "type": "group",
            "tooltip": "Run this lesson",
            "icon": "fas fa-rocket",
            "label": "launch-buttons",
            "buttons": [
                link(
                    "Colab",
                    "Run this lesson on Colab",
                    "fas fa-play",
                    colab(repository, path) if repository else pathto(HELP),
                ),
                link(
                    "Binder",
                    "Run this lesson on Binder",
                    "fas fa-flask",
                    binder(repository, path) if repository else pathto(HELP),
                ),
                link(
                    "Download",
                    "Download this lesson as a notebook",
                    "fas fa-download",
                    pathto(path, 1),
                ),
            ],
        }
    )
