"""What is kept of pages from build to build holds no more, and no older, than it should."""

from __future__ import annotations

from typing import TYPE_CHECKING

from docutils import nodes

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment


def setup(app: Sphinx) -> None:
    """Connect this part to Sphinx."""
    app.connect("doctree-read", _detach_from_other_documents)
    # Before Sphinx numbers the sections (priority 500).
    app.connect("env-get-updated", _forget_numbers, priority=400)


def _detach_from_other_documents(_app: Sphinx, doctree: nodes.document) -> None:
    """Let no part of a page belong to another document.

    What MyST-Parser reads as reStructuredText does, and that document keeps the environment,
    so two megabytes would go into the page's file, which every build reads. See its issue 953.
    """
    for node in doctree.findall():
        node.document = doctree


def _forget_numbers(_app: Sphinx, env: BuildEnvironment) -> list[str]:
    """Take the sections' numbers from all titles, since Sphinx numbers numbered pages only.

    A page that is in such a part no more would keep its numbers (Sphinx's issue 591), and
    sphinx-external-toc 1.1 fails on it with a KeyError (unreported).
    """
    for title in env.titles.values():
        title.attributes.pop("secnumber", None)
    for contents in env.tocs.values():
        for reference in contents.findall(nodes.reference):
            reference.attributes.pop("secnumber", None)
    return []
