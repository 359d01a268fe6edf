"""What a stored file says is text on the page about the build, never markup."""

from __future__ import annotations

import dataclasses

from docutils import nodes
from docutils.core import publish_from_doctree
from docutils.utils import new_document

from bnlab import studies
from bnlab.site import provenance

STRANGE = "<script>alert(1)</script> [a](javascript:b) `c` | d"


def rendered(parts: list[provenance.Part]) -> str:
    """Return parts of the page as HTML."""
    document = new_document("about")
    document += [provenance.node(part, "about") for part in parts]
    return publish_from_doctree(document, writer_name="html5").decode()


def test_the_name_of_a_machine_is_text_whatever_it_is() -> None:
    study = studies.load("batch_noise")
    machines = dict.fromkeys(study.machines, STRANGE)
    shown = rendered(provenance._studies([dataclasses.replace(study, machines=machines)]))
    assert "<script>" not in shown
    assert nodes.Text(STRANGE).astext().replace("<", "&lt;").replace(">", "&gt;") in shown


def test_a_cell_of_a_table_is_text_whatever_it_is() -> None:
    shown = rendered([provenance.Table(("Run",), [(STRANGE,)]), provenance.Items([("a", STRANGE)])])
    assert "<script>" not in shown
    assert shown.count("&lt;script&gt;") == 2
