"""The page of claims: every checked sentence of the site, with the runs behind it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.util.docutils import SphinxDirective

from bnlab.site import lessons

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment


def setup(app: Sphinx) -> None:
    """Connect this part to Sphinx."""
    app.add_directive("claims", Claims)
    app.connect("env-get-outdated", _outdated)
    # After the lessons are ready (priority 900).
    app.connect("builder-inited", _collect, priority=950)


class Claims(SphinxDirective):
    """``{claims}``: every claim of this build, in a section for each page."""

    def run(self) -> list[nodes.Node]:
        """Return the sections."""
        self.env.metadata[self.env.docname]["claims"] = True
        claims = self.env.bnlab_claims  # type: ignore[attr-defined]
        return [self._section(name, of_page) for name, of_page in claims.items() if of_page]

    def _section(self, name: str, claims: list[dict[str, Any]]) -> nodes.section:
        title = _title(Path(self.env.doc2path(name)))
        section = nodes.section(ids=[nodes.make_id(f"claims-{name}")], names=[f"claims {name}"])
        section += nodes.title(title, title)
        link = StringList([f"From {{doc}}`/{name}`:"], source=self.env.docname)
        self.state.nested_parse(link, self.content_offset, section)
        # The sentence as the page shows it, straight quotes and all.
        items = nodes.bullet_list(support_smartquotes=False)
        for claim in claims:
            item = nodes.list_item("", nodes.paragraph("", claim["claim"]))
            if claim["runs"]:
                item += _evidence(claim["runs"])
            items += item
        section += items
        return section


def _collect(app: Sphinx) -> None:
    env = app.env
    env.bnlab_claims_before = getattr(env, "bnlab_claims", None)  # type: ignore[attr-defined]
    env.bnlab_claims = {  # type: ignore[attr-defined]
        name: [
            output["metadata"]["bnlab"]
            for cell in lessons.outputs(execution.key)
            for output in cell["outputs"]
            if "bnlab" in output.get("metadata", {})
        ]
        for name, execution in lessons.executions(env).items()
    }


def _outdated(_app: Sphinx, env: BuildEnvironment, *_changes: set[str]) -> list[str]:
    if env.bnlab_claims == env.bnlab_claims_before:  # type: ignore[attr-defined]
        return []
    return [name for name, metadata in env.metadata.items() if metadata.get("claims")]


def _evidence(runs: Iterable[dict[str, Any]]) -> nodes.paragraph:
    """Name a claim's runs: each network's seeds with the first digits of their keys, or a study."""
    groups: dict[str, list[nodes.Node]] = {}
    for run in runs:
        if "study" in run:
            text = f"{run['runs']} runs of the stored study {run['study']}"
            groups[text] = [nodes.Text(text)]
        else:
            of_network = groups.setdefault(run["network"], [nodes.Text(run["network"])])
            first = len(of_network) == 1
            # Plain text: of thousands of keys the markup would be most of the page.
            seed = f"{'seed ' if first else ''}{run['seed']} {run['key'][:8]}"
            of_network.append(nodes.Text(f", {seed}"))
    paragraph = nodes.paragraph(classes=["evidence"])
    for number, texts in enumerate(groups.values()):
        paragraph += [nodes.Text("; "), *texts] if number else texts
    return paragraph


def _title(path: Path) -> str:
    found = re.search(r"^# (.+)$", path.read_text("utf-8"), re.MULTILINE)
    return found[1] if found else path.stem
