"""What authors bring from notebooks and from other books is shown, or refused by its line."""

from __future__ import annotations

import base64
import re

import pytest
from bs4 import BeautifulSoup, Tag
from nbformat import NotebookNode, read, write
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from tinybook import TinyBook

DOT = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=="
)
HEAD = "---\nfile_format: mystnb\nkernelspec: {name: python3}\n---\n\n"
IN_HTML = r"""# HTML

<div class="alert"><b>If $a &lt; b$</b> and \[ \sum_i x_i \] and \(\bar{x}\)
<p>US$ 5, US$ 6, $5-$6, ($7) and $8, &#36;9&#36;.</p>
<code>$c$</code><p class="tex2jax_ignore">$d$</p></div>

```{code-cell}
from IPython.display import HTML
HTML("<p>Out $e^2$</p><pre>$f$</pre>")
```
"""
CITED = """# Cited

First {footcite}`pearson1905problem`, then {footcite:t}`pearson1905problem`, a note[^note].

[^note]: What it says.

```{footbibliography}
```
"""
TABLE = """# Table

```{csv-table} Folded
:header: >
:    Name, Value

x, 1
```
"""


def book_with(book: TinyBook, **lessons: str | NotebookNode) -> TinyBook:
    """Put lessons into a book."""
    for name, lesson in lessons.items():
        if isinstance(lesson, str):
            book.write(f"lessons/{name}.md", HEAD + lesson)
        else:
            write(lesson, book.path(f"lessons/{name}.ipynb"))
    entries = "".join(f"      - file: lessons/{name}\n" for name in lessons)
    book.replace("_toc.yml", "      - file: lessons/chances\n", entries)
    return book


def notebook(*cells: str) -> NotebookNode:
    """Return a notebook with a code cell after the first one of Markdown."""
    first, *others = map(new_markdown_cell, cells)
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    return new_notebook(cells=[first, new_code_cell("1 + 1"), *others], metadata=metadata)


@pytest.fixture(scope="module")
def written(built_book: TinyBook, tmp_path_factory: pytest.TempPathFactory) -> TinyBook:
    """A book with all that is shown."""
    book = TinyBook(tmp_path_factory.mktemp("constructs") / "book", built_book.store)
    near = (
        "# Near\n\nTo [far](far.ipynb#A-heading!), [](far.ipynb#below), "
        "[second](far.ipynb#below-1) and [here](#Here-too)."
    )
    book_with(
        book,
        in_html=IN_HTML,
        cited=CITED,
        table=TABLE,
        near=notebook(near, "## Here too"),
        far=notebook("# Far", "## A heading!", "## Below\n\n## Below"),
    )
    page = "repository:\n  url: https://github.com/o/r\n  path_to_book: book\n  branch: main"
    book.replace("_config.yml", 'repository:\n  url: ""', page)
    edited = "  use_edit_page_button: true\n  use_multitoc_numbering: true"
    book.replace("_config.yml", "  use_multitoc_numbering: true", edited)
    book.update()
    return book


def article(book: TinyBook, name: str) -> Tag:
    text = book.read(f"_build/html/lessons/{name}.html")
    return BeautifulSoup(text, "html.parser").select_one("article.bd-article")


def source(book: TinyBook, name: str) -> str:
    cells = read(book.html / "notebooks" / f"{name}.ipynb", as_version=4).cells
    return "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")


def test_formulas_in_html_and_in_outputs_that_are_html_are_formulas(written: TinyBook) -> None:
    page = article(written, "in_html")
    assert len(page.select(".alert math")) == 3
    assert len(page.select(".alert math[display=block]")) == 1
    assert page.select_one(".alert > b > math")
    assert page.select_one(".cell_output p > math").text.startswith("e")
    for amounts in ("US$ 5, US$ 6, $5-$6, ($7) and $8, $9$.", "$c$", "$d$", "$f$"):
        assert amounts in page.text
    prose = source(written, "in_html")
    assert r"<b>If $a \lt  b$</b>" in prose
    assert "$\\bar{x}$" in prose
    assert "$5" not in prose


def test_a_citation_can_be_a_footnote(written: TinyBook) -> None:
    page = article(written, "cited")
    links = page.select("p a.footnote-reference")
    assert [link.text.strip("[]") for link in links] == ["1", "1", "2"]
    assert "Karl Pearson" in page.find(id=links[0]["href"][1:]).text
    assert "What it says" in page.find(id=links[2]["href"][1:]).text
    assert "<sup>&#91;1&#93;</sup> Karl Pearson" in source(written, "cited")


def test_a_folded_head_has_one_row(written: TinyBook) -> None:
    assert len(article(written, "table").select("thead tr")) == 1
    assert "| Name | Value |\n| --- | --- |\n| x | 1 |" in source(written, "table")


def test_a_link_finds_a_heading_of_another_notebook_as_jupyter_names_it(written: TinyBook) -> None:
    (links,) = [p.find_all("a") for p in article(written, "near").find_all("p") if "To" in p.text]
    assert [link.text for link in links] == ["far", "Below", "second", "here"]
    assert len({link["href"] for link in links}) == 4
    for link, name in zip(links, ("far", "far", "far", "near"), strict=True):
        page, _, place = link["href"].partition("#")
        assert page in (f"{name}.html", "")
        assert article(written, name).select_one(f'section[id="{place}"] > h2')


def test_the_button_for_editing_leads_to_the_file_itself(written: TinyBook) -> None:
    # The lessons lie behind a link in the book's folder.
    for page, file in (("index", "book/index.md"), ("lessons/near", "lessons/near.ipynb")):
        text = BeautifulSoup(written.read(f"_build/html/{page}.html"), "html.parser")
        (button,) = text.select('a[href*="/edit/"]')
        assert button["href"] == f"https://github.com/o/r/edit/main/{file}"


def test_warnings_of_a_notebook_name_the_cell_and_its_line(book: TinyBook) -> None:
    wrong = "Text.\n\nA {ref}`nowhere`.\n\n{nothing}`x`"
    book_with(book, warned=notebook("# Warned", wrong, "See\n\n$$ a \\foo $$"))
    said = book.refuse()
    for place in (
        "cell 3, line 3: WARNING: undefined label",
        "cell 3, line 5: WARNING: Unknown interpreted",
        r"cell 4, line 3: The formula uses \foo",
    ):
        assert f"lessons/warned.ipynb, {place}" in said


def test_a_picture_of_a_notebook_without_words_is_named_by_its_cell(book: TinyBook) -> None:
    book_with(book, pictured=notebook("# P", "## Q", "Text.\n\n```{image} dot.png\n```"))
    book.path("lessons/dot.png").write_bytes(DOT)
    assert "lessons/pictured.ipynb, cell 4, line 3 shows a picture without words" in book.refuse()


@pytest.mark.parametrize(
    ("line", "lesson", "says"),
    [
        (8, "A {footcite}`pearson1905problem`.", "The footnote of {footcite}`pearson1905problem` "),
        (
            10,
            "$$\\begin{align}\na \\tag{A} \\\\\nb \\label{b}\n\\end{align}$$",
            r"its row with the label b has no \tag, and others have one",
        ),
        (8, "$$a \\tag{A} \\\\ b \\tag{B}$$", r"it has 2 \tags, and one number"),
        (9, "<div>\n$\\wrong$</div>", r"The formula uses \wrong, which is not known"),
        (8, "Say <your name> \\<so> and `<b>`.", "<your name> begins HTML that is never closed"),
        (9, "<p>One\n<details>two", "<details> begins HTML that is never closed"),
        (8, "[a link]({{ env.docname }}).", "The address of a link cannot be a substitution."),
        (8, "{cite}`nobody`.", "directive {bibliography}"),
    ],
    ids=["footcite", "row", "tags", "html", "name", "details", "substitution", "cite"],
)
def test_what_cannot_be_shown_is_refused_with_its_line(
    book: TinyBook, line: int, lesson: str, says: str
) -> None:
    said = book_with(book, wrong=f"# Wrong\n\n{lesson}\n").refuse()
    assert re.search(rf"lessons/wrong\.md(, line |:){line}: ", said)
    assert says in said
    assert "Traceback" not in said


def test_a_page_that_is_not_there_is_refused_by_the_line_of_the_contents(book: TinyBook) -> None:
    book.replace("_toc.yml", "lessons/chances", "lessons/chance")
    assert "_toc.yml:8: WARNING: toctree contains reference to nonexisting" in book.refuse()


SETTINGS = """
execute:
  allow_errors: true
"""
EXTRA = """# Extra

```{todo}
Later.
```

```{code-cell}
1 / 0
```

```{code-cell}
print("after it")
```
"""


def test_what_a_teacher_sets_is_done(book: TinyBook) -> None:
    book_with(book, extra=EXTRA)
    book.replace("_config.yml", "execute:\n", SETTINGS.lstrip("\n"))
    added = "sphinx:\n  extra_extensions: [sphinx.ext.todo]\n"
    book.replace("_config.yml", "sphinx:\n", added)
    book.replace(
        "_config.yml", "    language: en", "    language: en\n    todo_include_todos: true"
    )
    book.update()
    page = article(book, "extra")
    assert "Later." in page.select_one(".admonition-todo").text
    assert "ZeroDivisionError" in page.text
    assert page.select(".cell_output")[-1].text.strip() == "after it"


@pytest.mark.parametrize("setting", ["exclude_patterns: [walks*]", "run_in_temp: true"])
def test_a_setting_without_effect_is_refused(book: TinyBook, setting: str) -> None:
    book.replace("_config.yml", "execute:\n", f"execute:\n  {setting}\n")
    said = book.refuse()
    assert f"_config.yml sets {setting.partition(':')[0]} for executing" in said
    assert "Traceback" not in said
