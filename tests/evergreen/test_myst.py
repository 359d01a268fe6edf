"""What MyST takes for something else than its author meant is mended, or refused by line."""

from __future__ import annotations

import base64
import re

import pytest
from bs4 import BeautifulSoup, Tag
from nbformat import read
from tinybook import TinyBook

DOT = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=="
)
NAMED = r"""# Named by $\gamma$

(sec-named)=
## Section $\beta_1$ of `code`

```{figure} pics/one dot.png
:name: fig-named
:alt: A dot.
A dot $x^2$ by {cite:t}`pearson1905problem`, as in {eq}`eq-named`.
```

$$
a = b
$$ (eq-named)

Here {ref}`sec-named`, [](#sec-named), [](#fig-named).
"""
LINKED = r"""# Linked

By {numref}`eq-named`, {ref}`eq-named` and {eq}`eq-named`.

Far: [](named.md#sec-named), [the dot](named.md#fig-named), [](named.md#eq-named).

## Its *own* Section!

<a name="in-html"></a><p id=another>Some HTML.</p>

Near: [one](#Its-own-Section!), [](#its-own-section), [two](#in-html), [three](#another).
"""
READ = r"""# Read

There {ref}`sec-named`, {doc}`named`, {ref}`fig-named`,
{numref}`Number {number}, {name} <fig-named>`.

![One](<pics/one dot.png>) ![Two](pics/two%20d%C3%B6ts.png)

~~Struck~~, $$a$$ between $$b$$ both, \$5 and $x$, 2 $y$.

:::{note} With `code`
In a note.
:::

```{literalinclude} new.txt
:diff: old.txt
```

<a id="of-source" href="named.md#sec-named">A page</a>, <math><mi>z</mi></math>,
<button>a button</button>.

Linked: [one](named.md#a=1&b=2), [*two*](/lessons/named.md#a=1&c=2),
[three](https://example.org/?a=1&b=%26amp;#c=1&d=2), <https://example.org/?a=1&b=2>.

```{code-cell}
:tags: [remove_output]
print("removed")
```
"""
MISREAD = r"""# Misread

It costs $5 and $6.

Or 5$ and 6$.

![A dot](pics/dot.png){width=50%}

{.class}
A paragraph.

## Of {cite}`pearson1905problem`

The value {eval}`1 + 1`.

A note.[^missing]

```{note} Of `code`
Text.
```
```

A ~~struck~~ word, and `~~code~~`, \~~none~~.

- [x] Done.
- A [x] in between.

Energy
$$
e = m
$$ (eq-energy)

One
Two
: Defined.

# Another

```{tip}
A picture:

```{figure} pics/dot.png
:alt: A dot.
A dot.
```

All in one.
```
"""
FOREIGN = r"""# Foreign

> [!NOTE]
> Mind this.

!!! note
    Text.

Text.
{: .class}

#Heading

:name: A value.

\[!NOTE], \#Heading and `{: .class}` are text, `code`: too, as is **:this** is.

## Named {#so}

##

Text

---
file_format: mystnb
---

<<<<<<< HEAD
One.
=======
Two.
>>>>>>> other
"""


@pytest.fixture(scope="module")
def read_book(built_book: TinyBook, tmp_path_factory: pytest.TempPathFactory) -> TinyBook:
    """A book with what MyST alone would read otherwise."""
    book = TinyBook(tmp_path_factory.mktemp("read") / "book", built_book.store)
    head = "---\nfile_format: mystnb\nkernelspec: {name: python3}\n---\n\n"
    book.write("lessons/named.md", NAMED)
    book.write("lessons/read.md", head + READ)
    book.write("lessons/linked.md", LINKED)
    book.write("lessons/new.txt", "one\ntwo\n")
    book.write("lessons/old.txt", "one\n")
    for name in ("one dot", "two döts"):
        book.path("lessons/pics").mkdir(exist_ok=True)
        book.path(f"lessons/pics/{name}.png").write_bytes(DOT)
    entry = "      - file: "
    added = f"{entry}lessons/named\n{entry}lessons/read\n{entry}lessons/linked\n{entry}claims"
    book.replace("_toc.yml", f"{entry}claims", added)
    book.replace("_config.yml", "substitution]", "strikethrough, substitution]")
    book.update()
    return book


def article(book: TinyBook, name: str) -> Tag:
    text = book.read(f"_build/html/lessons/{name}.html")
    return BeautifulSoup(text, "html.parser").select_one("article.bd-article")


def test_a_link_shows_the_formulas_of_the_title_that_names_it(read_book: TinyBook) -> None:
    for name, begin in (("named", "Here"), ("read", "There")):
        (links,) = [p for p in article(read_book, name).find_all("p") if p.text.startswith(begin)]
        assert "\\" not in links.text
        assert "^" not in links.text
        assert "pearson1905problem" not in links.text
        assert "eq-named" not in links.text
        assert len(links.select("a math")) == len(links.select("a"))
        assert not links.select("a a, a [id]")
    notebook = read(read_book.html / "notebooks" / "read.ipynb", as_version=4)
    assert r"There Section $\beta_1$ of `code`, Named by $\gamma$, A dot $x^2$" in (
        notebook.cells[0].source
    )


def test_a_link_finds_its_place_by_any_name_that_it_has(read_book: TinyBook) -> None:
    page = article(read_book, "linked")
    links = {
        begin: [
            (link.text, link["href"])
            for p in page.find_all("p")
            if p.text.startswith(begin)
            for link in p.find_all("a")
        ]
        for begin in ("By", "Far", "Near")
    }
    (equation,) = {*links["By"]}
    assert re.fullmatch(r"\([\d.]+\)", equation[0])
    far = article(read_book, "named")
    for (_, to), name in zip(links["Far"], ("sec-named", "fig-named", "equation"), strict=True):
        assert to.startswith("named.html#")
        assert name in to
        assert far.find(id=to.partition("#")[2])
    assert [text for text, _ in links["Far"][1:]] == ["the dot", equation[0]]
    assert [text for text, _ in links["Near"]] == ["one", "Its own Section!", "two", "three"]
    for _, to in links["Near"]:
        assert page.select(f'[id="{to[1:]}"], [name="{to[1:]}"]')


def test_pictures_of_any_name_are_found(read_book: TinyBook) -> None:
    for name, count in (("named", 1), ("read", 2)):
        pictures = article(read_book, name).select("img")
        assert len(pictures) == count
        assert all(picture["width"] == "1" for picture in pictures)


def test_what_is_meant_is_read(read_book: TinyBook) -> None:
    page = article(read_book, "read")
    assert page.select_one("s").text == "Struck"
    assert [formula.text.strip() for formula in page.select("div.math")] == ["a", "b"]
    assert "$5 and x" in page.text
    assert page.find(id="of-source")["href"].endswith("lessons/named.html#sec-named")
    assert "With code" in page.select_one(".note").text
    assert str(read_book.folder) not in page.text
    notebook = read(read_book.html / "notebooks" / "read.ipynb", as_version=4)
    prose = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    assert "<math><mi>z</mi></math>" in prose
    assert "button" not in prose
    assert notebook.cells[-1].metadata["jupyter"] == {"outputs_hidden": True}


def test_a_link_leads_to_what_its_address_chooses(read_book: TinyBook) -> None:
    (linked,) = [p for p in article(read_book, "read").find_all("p") if "Linked" in p.text]
    assert [(a["href"], a.text) for a in linked.select("a")] == [
        ("named.html#a=1&b=2", "one"),
        ("named.html#a=1&c=2", "two"),
        ("https://example.org/?a=1&b=%26amp;#c=1&d=2", "three"),
        ("https://example.org/?a=1&b=2", "https://example.org/?a=1&b=2"),
    ]
    prose = read(read_book.html / "notebooks" / "read.ipynb", as_version=4).cells[0].source
    assert "](https://example.org/?a=1&b=%26amp;#c=1&d=2)" in prose
    assert "&amp;b" not in prose


def test_what_would_be_read_as_something_else_is_refused_by_line(book: TinyBook) -> None:
    book.write("book/index.md", MISREAD)
    book.path("book/pics").mkdir()
    book.path("book/pics/dot.png").write_bytes(DOT)
    said = book.refuse()
    for line, what in {
        3: "$5 and $ is read as a formula.",
        5: "$ and 6$ is read as a formula.",
        7: "The attributes {width=50%} would be shown as text. They need MyST's extension attrs_i",
        9: "The attributes {.class} would be shown as text. They need MyST's extension attrs_block",
        18: "```{note} is read as text.",
        12: "A heading cannot hold a citation",
        14: "{eval} cannot run code",
        16: "There is no note [^missing]",
        23: "~~struck~~ would be shown as text. It needs MyST's extension strikethrough",
        25: "The task [x] would be shown as text. It needs MyST's extension tasklist",
        31: "The label (eq-energy) would be shown as text.",
        35: "A line that begins with a colon is a definition",
        37: "A page has one heading of the first level",
        42: "```{figure} is never closed: the ``` that is to close it closes ```{tip}",
    }.items():
        assert f"index.md, line {line}: {what}" in said
    assert said.count("index.md, line") == 14
    assert "Traceback" not in said


def test_marks_of_other_kinds_of_markdown_are_refused_by_line(book: TinyBook) -> None:
    book.write("book/index.md", FOREIGN)
    said = book.refuse()
    for line, mark in {
        3: "[!NOTE] would be shown as text",
        6: "!!! note would be shown as text",
        10: "{: .class} would be shown as text",
        12: "# would be shown as text",
        14: ":name: would be shown as text",
        18: "{#so} would be shown as text. Write (so)=",
        20: "This heading is empty",
        25: "The front matter is read as text",
        28: "Git has left two versions here",
    }.items():
        assert f"index.md, line {line}: {mark}" in said
    assert said.count("index.md, line") == 9
    assert "Traceback" not in said


@pytest.mark.parametrize("fence", ["```{note}", ":::{note}", "```python"])
def test_a_fence_that_is_open_at_the_end_of_its_page_is_refused(book: TinyBook, fence: str) -> None:
    book.write("book/index.md", f"# Open\n\n{fence}\nText.\n\nMore text.\n")
    said = book.refuse()
    begins = fence.partition("{")[0] if "{" in fence else "```"
    assert f"index.md, line 3: {fence} is never closed, so that all below it" in said
    assert f"Close it with a line {begins}." in said
