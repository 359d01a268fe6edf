"""What an author writes arrives in the lesson's notebook, as it stands on the page."""

from __future__ import annotations

import base64
import json
import random
import re
import subprocess
import sys
from collections.abc import Callable
from urllib.parse import unquote, urlsplit

import nbformat
import pytest
from bs4 import BeautifulSoup
from markdown_it import MarkdownIt
from nbconvert.filters.markdown_mistune import markdown2html_mistune
from tinybook import TinyBook

from evergreen.notebooks import escapes, fragments

HEAD = """---
file_format: mystnb
kernelspec:
  name: python3
  display_name: Python 3
  language: python
---

"""
PICTURED = ("more/Öl & 100%", "more/pasted")
# A red dot.
PICTURE = bytes.fromhex(
    "89504e470d0a1a0a0000000d494844520000000100000001080200000090"
    "7753de0000000c4944415408d763f8cfc000000301010018dd8db00000000049454e44ae426082"
)
CONSTRUCTS = r"""# All that can be written

```{code-cell} ipython3
1 + 1
```

![A mark](mark.png) and, once more, <img src="mark.png" alt="the mark as HTML">.

A word with a note[^one] and another.[^two]

First line\
second line, <kbd>Ctrl</kbd>, {kbd}`Alt`, H{sub}`2`O, x{sup}`2`,
{abbr}`CLT (central limit theorem)`, *emph*asis, **Why?** ***both***, `` `tick` ``.

<!-- a remark for authors -->

<details><summary>More</summary>

Here *Markdown* goes on.

</details>

<svg viewBox="0 0 2 2"><title>A square</title><rect width="2" height="2"/></svg>

---

Step
: One toss, $p < 1$.

  ```{tip}
  In a definition.
  ```

::::{tab-set}
:::{tab-item} Heads
To the right.
:::
:::{tab-item} Tails
To the left.
:::
::::

:::{card} Coin
Fair, it costs $5 or \$6.
:::

::::{grid} 2
:::{grid-item-card} Left
One side.
:::
:::{grid-item-card} Right
Another side.
:::
::::

:::{dropdown} Unfold me
Inside, $|x| \& y > 2$.

```python
first = 1

second = "$"
```
:::

{bdg-primary}`new`

```{button-link} https://example.org
Leave
```

```{margin}
Beside the text.
```

```{sidebar} At the side
More beside it.
```

```{note}
Mind this.
```

````{admonition} A title of its own
:class: dropdown
With text, and a list:

- one

  ```python
  x = 1
  ```
- two
````

```{topic} A topic
Its text.
```

```{rubric} A rubric
```

> Quoted $x$.

```{epigraph}
A saying.

-- Somebody
```

```{glossary}
Epoch
  One pass.
```

See {term}`Epoch`.

```{table} Counted $n$
:name: tab-counted
| a | b |
|--:|:-:|
| `1` | $2$ |
| left \| right | *x* |
```

```{list-table} Without a head
* - 1
  - 2
```

```{list-table} With wide cells
:header-rows: 1
* - name
  - meaning
* - one
  - - a list

    - in a cell
```

```{code-block} python
:caption: walk.py
:linenos:
x = 1
```

```{figure} mark.png
:name: fig-mark
:alt: A mark.

A caption with $x$.

And a legend.
```

See {numref}`fig-mark` and {numref}`tab-counted`, {download}`mark.png`, [this page](constructs.md).

3. three
4. four

<!-- between lists -->

1. again

```{eval-rst}
a. alpha
b. beta

:Field: value

-a  Take all.

| one line
| another line
```

- \[ ] not a task
- \[x] nor this

```{raw} html
<b>An author's own</b> <script>alert(1)</script>
```

```{versionadded} 1.0
Steps.
```

```{hlist}
- here
- there
```

```{exercise} Why $\gamma$?
:label: ex-titled

Say why.
```

```{solution} ex-titled
:label: sol-titled

Because.
```

```{exercise}
:label: ex-without
:nonumber:

Without a number.
```

```{eval-rst}
.. parsed-literal::

   x *y*

+-----+-----+
| one | two |
+-----+-----+
| both      |
+-----------+

.. productionlist::
   walk: `step` | `walk` `step`
```

{cite:t}`pearson1905problem`, {guilabel}`OK`, {file}`a.txt`, {rfc}`2119`.

> - one
>   > two
>
> 1. three
>    - four

<pre>
a  b

 c
</pre>

<table>
<tr><td>Cell

of two lines</td></tr>
</table>

<p align="center" class="mine" onclick="alert(1)"><u>Under</u>, <a href="#there">there</a>,
<a href="index.html">home</a>, <a href="https://example.org">away</a>.</p>

Text <!-- a remark --> goes on.

```{exercise-start}
:label: ex-gated
```
With a cell.

```{code-cell} ipython3
print("in an exercise")
```

And text after it.
```{exercise-end}
```

[^one]: What the note says.
[^two]: And the other.
"""
RAW = {"cell_type": "raw", "id": "b", "metadata": {"raw_mimetype": "text/html"}}
ATTACHED = json.dumps(
    {
        "cells": [
            {
                "cell_type": "markdown",
                "id": "a",
                "metadata": {},
                "source": "# Pasted\n\n![pasted](attachment:a%20mark.png)",
                "attachments": {"a mark.png": {"image/png": base64.b64encode(PICTURE).decode()}},
            },
            RAW | {"source": "<b>In a raw cell.</b>"},
        ],
        "metadata": {"kernelspec": {"name": "python3"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
)
OWN_PICTURES = """# Pictures of one's own

<img src="../more/a%20mark.png" alt="in HTML">

![within the text](data:image/png;base64,DATA)

```{code-cell} ipython3
---
tags: [remove-cell]
---
import random

random.seed(3)
```

```{code-cell} ipython3
---
tags: [remove-output]
---
random.random()
```
"""
EQUATIONS = r"""
# Numbered

```{code-cell} ipython3
---
mystnb:
  figure:
    name: fig-frame
    caption: |
      A table from pandas.

      It has one column.
---
import pandas as pd

pd.DataFrame({"a": [1]})
```

```{code-cell} ipython3
---
tags: [remove-cell]
---
import matplotlib.pyplot as plt
from myst_nb import glue

figure, axis = plt.subplots(figsize=(2, 1))
axis.plot([1, 2])
plt.close(figure)
glue("line", figure, display=False)
glue("frame", pd.DataFrame({"glued": [2]}), display=False)
```

```{glue:figure} line
:name: fig-line
:alt: A line.

A figure from elsewhere.
```

```{glue:} frame
```

$$
a = b
$$ (eq-one)

\begin{align}
a &= b \\
c &= d
\end{align}

By {eq}`eq-one`, with {numref}`fig-frame`.
"""
# As sphinx-proof numbers its boxes, and sphinx-tabs names its tabs.
EXTENSION = """
from docutils import nodes
from sphinx.util.docutils import SphinxDirective


class theorem(nodes.Admonition, nodes.Element):
    pass


def visit(writer, node):
    writer.body.append(writer.starttag(node, "div", CLASS="admonition"))


def depart(writer, node):
    at = writer.body.index('<p class="admonition-title">') + 1
    writer.body.insert(at, "<span>Theorem 7 </span>")
    writer.body.append("</div>")


class Theorem(SphinxDirective):
    has_content, required_arguments, final_argument_whitespace = True, 1, True

    def run(self):
        title, _ = self.state.inline_text(self.arguments[0], self.lineno)
        content = nodes.section(ids=["theorem"])
        self.state.nested_parse(self.content, self.content_offset, content)
        return [theorem("", nodes.title("", "", *title), content)]


class Tabs(SphinxDirective):
    has_content = True

    def run(self):
        content = nodes.Element()
        self.state.nested_parse(self.content, self.content_offset, content)
        names = nodes.container(role="tablist")
        names += [nodes.paragraph("", name) for name in ("Heads", "Tails")]
        return [nodes.container("", names, *(nodes.container("", one) for one in content))]


def setup(app):
    app.add_node(theorem, html=(visit, depart))
    app.add_directive("theorem", Theorem)
    app.add_directive("own-tabs", Tabs)
"""
BOXES = r"""# Boxes of another extension

```{theorem} (Walks of $n$ steps)
They end, says **somebody**:

- soon.
```

```{own-tabs}
To the right.

To the left.
```
"""
GFM = MarkdownIt("gfm-like").disable("linkify")
TOKENS = (
    *("2015.", "1)", "#", "##", "-", "+", "*", "**", "_", "__", "__init__", "snake_case", "~~"),
    *("~", "`", "``", "```", "$", "$5", "$$", "\\", "\\(", "\\)", "\\begin{align}", "<b>", "</b>"),
    *("<", ">", "&", "&lt;", "&#36;", "[a](b)", "[a]", "![a](b)", "[^1]", "[x]", "]", "[", "!"),
    *("|", "---", "===", "| a | b |", "|---|---|", "a", "word", "(b)", ":", "[a]: b", "{x}", "@"),
    *("://", "'", '"', "%", "+++", "x*y*z", "a**b**", "(", ")", "—", "“so”", "naïve", "^", "=="),
)


def random_texts(count: int) -> list[str]:
    """Return texts in which characters stand that mean something to Markdown."""
    choose = random.Random(1)
    return [
        "".join(
            choose.choice(TOKENS) + choose.choice(("", " ", " ", "\n"))
            for _ in range(choose.randint(1, 8))
        ).strip()
        for _ in range(count)
    ]


def literally(text: str) -> str:
    """Return the MyST that shows a text: there, a backslash makes any sign one of the text."""
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", text)


def squeezed(text: str) -> str:
    return " ".join(text.split())


def rendered(markdown: str) -> BeautifulSoup:
    """Return what viewers make of Markdown."""
    return BeautifulSoup(GFM.render(markdown), "html.parser")


@pytest.mark.parametrize(
    "viewer", [MarkdownIt("commonmark").render, GFM.render, markdown2html_mistune]
)
def test_escaped_text_shows_itself(viewer: Callable[[str], str]) -> None:
    for text in random_texts(1000):
        html = viewer(escapes.paragraph(escapes.escaped(text)))
        found = BeautifulSoup(html, "html.parser")
        assert {tag.name for tag in found.find_all()} <= {"p", "span"}, text
        assert squeezed(found.get_text()) == squeezed(text), text


def test_no_formula_is_found_in_escaped_text() -> None:
    for text in random_texts(500):
        html = rendered(escapes.paragraph(escapes.escaped(text)))
        # MathJax joins what stands beside each other, but not across an element.
        for shown in html.find_all(string=True):
            assert shown == "$" or not re.search(r"\$|\\[(\[]|\\begin", shown), text


def of_site(address: str) -> str | None:
    """Return an address of the site's, which is published, for all but places on a page."""
    return None if address.startswith("#") else f"https://example.org/{address}"


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ('<p class="lead" id="a" onclick="b()">So</p>', "<p>So</p>"),
        ("<p>So</p><script>alert(1)</script><style>p {}</style>", "<p>So</p>"),
        ('<div style="color: red">', '<div style="color: red">'),
        ("</div>", "</div>"),
        ("<b>So</b>", "<div><b>So</b></div>"),
        ("<p>a\n\n\nb</p>", "<p>a\nb</p>"),
        ("<pre>a\n\n  b</pre>", "<div><pre>a&#10;\n  b</pre></div>"),
        ("<p>$5 &lt; &#36;6</p>", "<p><span>&#36;</span>5 &lt; <span>&#36;</span>6</p>"),
        (
            '<p><a href="#there">x</a> <a href="c.html">y</a></p>',
            '<p>x <a href="https://example.org/c.html">y</a></p>',
        ),
        ('<p><img src="#none" alt="A dot"></p>', "<p><em>A dot</em></p>"),
        ('<p><img src="a.png" alt=""></p>', '<p><img src="https://example.org/a.png" alt=""></p>'),
        (
            '<video src="a.mp4" controls autoplay></video>',
            '<div><video src="https://example.org/a.mp4" controls></video></div>',
        ),
        (
            '<iframe src="f.html" title="A frame"><p>None</p></iframe>',
            '<div><a href="https://example.org/f.html">A frame</a></div>',
        ),
        ('<iframe src="#f" title="A frame"></iframe>', "<div>A frame</div>"),
        ("<p><input type=checkbox checked> so <button>Go</button></p>", "<p>☑ so </p>"),
        ("<details open><summary>A</summary>b</details>",) * 2,
        ("<!-- a remark -->", ""),
    ],
)
def test_html_keeps_what_acts_in_a_notebook(given: str, kept: str) -> None:
    assert fragments.block(given, of_site, of_site) == kept


@pytest.fixture(scope="module")
def written(built_book: TinyBook, tmp_path_factory: pytest.TempPathFactory) -> TinyBook:
    """A book with all of the above."""
    book = TinyBook(tmp_path_factory.mktemp("written") / "book", built_book.store)
    texts = [literally(text) for text in random_texts(150)]
    escaped = [
        *texts,
        *(f"- {text.replace(chr(10), ' ')}" for text in texts[:50]),
        *(f"> {text.replace(chr(10), ' ')}" for text in texts[:50]),
        *(f"## x {text.replace(chr(10), ' ')}" for text in texts[:30]),
        *(f"*{text}* **{text}**x" for text in ("word", "one two", "a!", "naïve")),
        "\n".join(["| a |", "|---|", *(f"| {text.replace(chr(10), ' ')} |" for text in texts)]),
    ]
    book.write("book/escapes.md", HEAD + "# Escapes\n\n" + "\n\n".join(escaped))
    book.write("book/constructs.md", HEAD + CONSTRUCTS)
    book.write("book/numbered.md", HEAD + EQUATIONS)
    book.path("book/mark.png").write_bytes(PICTURE)
    own = OWN_PICTURES.replace("DATA", base64.b64encode(PICTURE).decode())
    book.write("book/more/Öl & 100%.md", HEAD + own)
    book.path("book/more/a mark.png").write_bytes(PICTURE)
    book.write("book/more/pasted.ipynb", f"\ufeff{ATTACHED}")
    book.write("book/boxes.md", HEAD + BOXES + CONSTRUCTS.split("\n\n")[1])
    book.write("src/toy/boxes.py", EXTENSION)
    book.replace("_config.yml", "      - evergreen\n", "      - evergreen\n      - toy.boxes\n")
    chapter = "      - file: lessons/chances"
    names = ("escapes", "constructs", "numbered", "boxes", *PICTURED)
    chapters = "".join(f"\n      - file: {name}" for name in names)
    book.replace("_toc.yml", chapter, chapter + chapters)
    book.update()
    return book


def prose(book: TinyBook, name: str) -> str:
    notebook = nbformat.read(book.html / "notebooks" / f"{name}.ipynb", as_version=4)
    nbformat.validate(notebook)
    return "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


def said_on_page(book: TinyBook, name: str) -> str:
    page = BeautifulSoup(book.read(f"_build/html/{name}.html"), "html.parser").article
    for apart in page.select(".cell, .headerlink, .linenos, math, script, svg, nav, .eqno"):
        apart.decompose()
    for heading in page.select("h1 .section-number, h2 .section-number"):
        heading.decompose()
    return re.sub(r"\s", "", page.get_text())


def said_in_notebook(book: TinyBook, name: str) -> str:
    text = re.sub(r"\$\$.*?\$\$|\$[^$\n]+\$", "", prose(book, name), flags=re.DOTALL)
    return re.sub(r"\s", "", rendered(text).get_text())


def test_text_stays_text_in_every_place(written: TinyBook) -> None:
    assert said_in_notebook(written, "escapes") == said_on_page(written, "escapes")


def test_all_words_of_a_page_arrive(written: TinyBook) -> None:
    assert said_in_notebook(written, "constructs") == said_on_page(written, "constructs")


def test_pictures_travel_within_the_notebook(written: TinyBook) -> None:
    pictures = rendered(prose(written, "constructs")).find_all("img")
    assert [picture["alt"] for picture in pictures] == [
        "A mark",
        "the mark as HTML",
        "A square",
        "A mark.",
    ]
    assert all(picture["src"].startswith("data:image/") for picture in pictures)


def test_a_notebook_has_no_classes_scripts_or_addresses_of_the_site(written: TinyBook) -> None:
    for name in ("constructs", "numbered", "escapes"):
        notebook = rendered(prose(written, name))
        assert not notebook.find_all("script")
        tags = [tag for tag in notebook.find_all(True) if tag.parent.name != "pre"]
        assert not [tag for tag in tags if {"class", "id"} & tag.attrs.keys()]
        links = {tag["href"] for tag in notebook.find_all("a")}
        assert all(link.startswith("https://") for link in links), links


def test_formulas_figures_and_tables_have_the_page_s_numbers(written: TinyBook) -> None:
    text = prose(written, "numbered")
    first, second = re.findall(r"\\tag\{(.*?)\}", text)
    assert f"By ({first})" in text
    assert second != first
    assert [picture["alt"] for picture in rendered(text).find_all("img")] == ["A line."]
    assert rendered(text).find("th", string="glued")
    (figure,) = re.findall(r"\*\*(Fig\. [\d.]+)\*\* A table", text)
    assert f"with {figure}." in text
    assert "It has one column." in text
    page = BeautifulSoup(written.read("_build/html/constructs.html"), "html.parser").article
    for number in page.select(".caption-number"):
        assert number.get_text(strip=True) in rendered(prose(written, "constructs")).get_text()


def test_markup_survives_where_markdown_has_it(written: TinyBook) -> None:
    notebook = rendered(prose(written, "constructs"))
    assert {"em", "strong", "kbd", "sub", "sup", "abbr", "details", "dl", "hr", "blockquote"} <= {
        tag.name for tag in notebook.find_all(True)
    }
    assert [item["type"] for item in notebook.find_all("ol") if item.get("type")] == ["a"]
    assert [item["start"] for item in notebook.find_all("ol") if item.get("start")] == ["3"]
    (unfolding,) = (
        tag for tag in notebook.find_all("summary") if tag.get_text() == "A title of its own"
    )
    assert unfolding.parent.find("pre")
    (code,) = (tag for tag in notebook.find_all("pre") if "second" in tag.get_text())
    assert code.get_text() == 'first = 1\n\nsecond = "$"\n'
    right, center = (cell["style"] for cell in notebook.table.find_all("th"))
    assert (right, center) == ("text-align:right", "text-align:center")


def test_boxes_and_tabs_of_another_extension_are_markdown_under_their_names(
    written: TinyBook,
) -> None:
    text = prose(written, "boxes")
    assert (
        "> **Theorem 7 (Walks of $n$ steps)**\n>\n> They end, says **somebody**:\n>\n> - soon."
    ) in text
    assert "**Heads**\n\nTo the right.\n\n**Tails**\n\nTo the left." in text


@pytest.mark.parametrize("name", PICTURED)
def test_every_picture_of_a_page_is_in_the_site_and_in_the_notebook(
    written: TinyBook, name: str
) -> None:
    page = BeautifulSoup(written.read(f"_build/html/{name}.html"), "html.parser").article
    pictures = page.find_all("img")
    assert pictures
    for picture in pictures:
        shown = (written.html / name).parent / unquote(picture["src"])
        assert shown.read_bytes() == PICTURE
    notebook = rendered(prose(written, name.removeprefix("more/")))
    texts = [picture["alt"] for picture in pictures]
    assert [picture["alt"] for picture in notebook.find_all("img")] == texts


def test_a_note_in_the_margin_has_no_empty_title(written: TinyBook) -> None:
    assert "> Beside the text." in prose(written, "constructs")
    assert "****" not in prose(written, "constructs")


def test_a_raw_cell_of_html_is_shown(written: TinyBook) -> None:
    for text in (written.read("_build/html/more/pasted.html"), prose(written, "pasted")):
        assert "<b>In a raw cell.</b>" in text


def test_pictures_stay_where_nothing_is_written_again(written: TinyBook) -> None:
    before = written.site()
    assert written.update().pages == set()
    assert written.site() == before


def test_a_page_of_any_name_leads_to_its_notebook(written: TinyBook) -> None:
    page = BeautifulSoup(written.read(f"_build/html/{PICTURED[0]}.html"), "html.parser")
    (link,) = (a["href"] for a in page.find_all("a") if a["href"].endswith(".ipynb"))
    path = written.html / "more" / unquote(urlsplit(link).path)
    assert path.is_file()


def test_a_cell_that_the_page_leaves_out_is_folded_in_the_notebook(written: TinyBook) -> None:
    path = written.html / "notebooks" / "Öl & 100%.ipynb"
    seed, drawn = (
        cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"
    )
    assert "random.seed(3)" in seed.source
    assert seed.metadata.jupyter.source_hidden
    assert "source_hidden" not in drawn.metadata.jupyter
    assert drawn.metadata.jupyter.outputs_hidden


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("search", "# Refused\n\nFound.", "PageNameError: search.md cannot be called so"),
        ("bare", "Text.", "PageNameError: bare.md has no heading, so the contents cannot name it."),
        (
            "rows",
            "# Refused\n\n| a | b |\n|---|---|\n| $|x|$ | 1 |",
            "RowError: rows.md, line 13: This row of a table has 4 cells and its head 2",
        ),
    ],
)
def test_what_cannot_be_shown_is_said_with_its_place(
    book: TinyBook, name: str, text: str, said: str
) -> None:
    book.write(f"book/{name}.md", f"{HEAD}{text}\n")
    chapter = "      - file: lessons/chances"
    book.replace("_toc.yml", chapter, f"{chapter}\n      - file: {name}")
    assert said in book.refuse().splitlines()[-1]


def test_a_lesson_that_glues_runs_where_myst_nb_is_not(written: TinyBook) -> None:
    path = written.html / "notebooks" / "numbered.ipynb"
    first, *_ = (c for c in nbformat.read(path, as_version=4).cells if c.cell_type == "code")
    code = f"import sys\nsys.modules['myst_nb'] = None\n{first.source}\n" + (
        "from myst_nb import glue\nglue('a', 'shown')\nglue('b', 'hidden', display=False)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "shown\n"
