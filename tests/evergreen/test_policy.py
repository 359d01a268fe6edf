"""A page runs what its theme and its author wrote, and nothing that came from data."""

from __future__ import annotations

import base64
import hashlib
import re

import pytest
from tinybook import TinyBook

SHOWING = '''
"""A directive that makes Markdown of a stored text, as it should not."""

from pathlib import Path

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.util.docutils import SphinxDirective


class Stored(SphinxDirective):
    def run(self):
        text = Path(self.env.srcdir, "stored.txt").read_text()
        node = nodes.container()
        self.state.nested_parse(StringList([text], source="stored"), 0, node)
        return node.children


def setup(app):
    app.add_directive("stored", Stored)
'''


def may_run(book: TinyBook, page: str, script: str) -> bool:
    """Tell whether a page's policy lets a script run that stands on it."""
    text = book.read(f"_build/html/{page}.html")
    assert script in text
    policy = re.search(r"script-src [^;]*", text)[0]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return f"'sha256-{digest}'" in policy


def test_a_script_in_the_source_or_in_an_output_runs_and_one_from_a_stored_text_does_not(
    book: TinyBook,
) -> None:
    book.write("src/toy/stored.py", SHOWING)
    book.replace("_config.yml", "      - evergreen\n", "      - evergreen\n      - toy.stored\n")
    book.write("book/stored.txt", "<script>alert(1)</script> by <b onclick='alert(2)'>data</b>")
    own = "<script>own(1)</script>\n\n```{stored}\n```\n\nA walker"
    book.replace("book/index.md", "A walker", own)
    cell = (
        "from IPython.display import HTML, display\n\ndisplay(HTML('<script>output(1)</script>'))"
    )
    book.replace("lessons/chances.md", "from toy", f"{cell}\nfrom toy")
    output = book.refuse()
    assert (
        "book/index.md: WARNING: A script or a style on this page stands neither in its" in output
    )
    assert "'alert(1)'" in output
    assert "'alert(2)'" in output
    assert may_run(book, "index", "own(1)")
    assert may_run(book, "lessons/chances", "output(1)")
    assert not may_run(book, "index", "alert(1)")
    assert not may_run(book, "index", "alert(2)")
    assert "alert(1)" in book.refuse(), "a build with a warning is not finished"


@pytest.mark.parametrize(
    "asking",
    [
        '<img src="https://example.org/a.png">',
        '<script src="https://example.org/a.js"></script>',
        "![A remote picture](https://example.org/a.png)",
    ],
)
def test_what_would_ask_another_host_ends_the_build_with_one_sentence(
    book: TinyBook, asking: str
) -> None:
    book.replace("book/index.md", "A walker", f"{asking}\n\nA walker")
    output = book.refuse()
    assert "EmbeddedError: index.md, line 3 asks another host for https://example.org/a." in output
    assert "evergreen_hosts: [example.org]" in output
    assert "Traceback" not in output


@pytest.mark.parametrize(
    "script",
    [
        "[null, {type: module, body: 'import a from \"https://example.org/a.mjs\"'}]",
        "[https://example.org/a.mjs, {type: module}]",
    ],
    ids=["inline", "module"],
)
def test_so_does_a_script_that_an_extension_adds_to_pages(book: TinyBook, script: str) -> None:
    line = "    language: en\n"
    book.replace("_config.yml", line, f"{line}    html_js_files: [{script}]\n")
    output = book.refuse()
    assert "asks another host for https://example.org/a.mjs" in output.splitlines()[-1]
    assert "evergreen_hosts" in output.splitlines()[-1]


def test_a_book_can_allow_the_host_of_what_an_extension_adds(book: TinyBook) -> None:
    line = "    language: en\n"
    added = (
        "    evergreen_hosts: [example.org]\n"
        "    html_js_files: [https://example.org/a.js]\n"
        "    html_css_files: [https://example.org/a.css]\n"
    )
    book.replace("_config.yml", line, line + added)
    book.update()
    head = book.read("_build/html/index.html").partition("</head>")[0]
    for asked in ("script-src", "style-src"):
        assert "example.org" in re.search(rf"{asked} [^;]*", head)[0]
    assert 'src="https://example.org/a.js"' in head
    assert 'href="https://example.org/a.css"' in head


def test_a_chart_of_altair_is_refused_with_the_way_to_draw_it(book: TinyBook) -> None:
    script = '<script>paths = {vega: "https://cdn.jsdelivr.net/npm/vega@6?noext"}</script>'
    book.replace("book/index.md", "A walker", f"{script}\n\nA walker")
    assert 'alt.renderers.enable("svg")' in book.refuse().splitlines()[-1]
