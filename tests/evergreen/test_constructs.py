"""What authors bring from notebooks and from other books is shown, or refused by its line."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import pytest
from bs4 import BeautifulSoup, Tag
from myst_nb.core.config import NbParserConfig
from myst_parser.config.main import MdParserConfig
from nbformat import NotebookNode, read, write
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from playwright.sync_api import Browser
from support.browsing import visit
from support.hosting import host
from tinybook import TinyBook

from evergreen.lessons.cells import code_of
from evergreen.lessons.reading import Document, Formats, LessonError

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

ASKED = '''# Asked

```{code-cell}
def double(x):
    """Return twice a number."""
    return 2 * x
```

```{code-cell}
double?
```

```{code-cell}
double??
```
'''

DATED = "---\nfile_format: mystnb\nkernelspec: {name: python3}\ndate: 2026-01-31\n---\n\n"
GLUING = r"""# Gluing

```{code-cell}
from IPython.display import Markdown, Math
from myst_nb import glue

glue("half", Math(r"\frac{1}{2}"), display=False)
glue("words", Markdown("Of $x^2$, *so*"), display=False)
glue("number", 2.5, display=False)
glue("shown", "glued and shown")
```

{glue:md}`words`.

```{glue:md} words
```

A note[^listed].

[^listed]: Two:

    - one
    - two
"""
GLUED = """# Glued

A {glue:}`dated.md::half`, {glue:}`dated.md::number` and {glue:text}`dated.md::number:.2f`.

```{glue:} half
:doc: dated.md
```
"""
LINKED = r"""# Linked

```{image} dot.png
:alt: To a page.
:target: near.ipynb
```

```{image} dot.png
:alt: To itself.
:target: dot.png
```

```{table} Rows
:name: tab-rows
| a |
|---|
| 1 |
```

Numbered {numref}`the table with number %s <tab-rows>`.

As [page](near.html), [place](far.html#A-heading!) and <a href="far.ipynb#A-heading!">HTML</a>.

```{toggle}
Folded.
```

```{toggle}
:show:
Open.
```

```{exercise} Of $\gamma_1$
:label: ex-gamma
Why?
```

```{solution} ex-gamma
:label: sol-gamma
So.
```

Solved in {ref}`sol-gamma`.
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
        asked=ASKED,
        near=notebook(near, "## Here too"),
        far=notebook("# Far", "## A heading!", "## Below\n\n## Below"),
    )
    book.write("lessons/dated.md", DATED + GLUING)
    book.write("lessons/glued.md", GLUED)
    book.write("lessons/linked.md", LINKED)
    book.path("lessons/dot.png").write_bytes(DOT)
    entry = "      - file: lessons/far\n"
    added = "".join(f"      - file: lessons/{name}\n" for name in ("dated", "glued", "linked"))
    book.replace("_toc.yml", entry, entry + added)
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


def test_help_is_shown_and_names_no_file_of_the_building_machine(written: TinyBook) -> None:
    outputs = [output.text for output in article(written, "asked").select(".cell_output")]
    assert ["Return twice a number." in output for output in outputs] == [True, True]
    assert ["return 2 * x" in output for output in outputs] == [False, True]
    assert not re.search(r"(?<!\w)/\w", "".join(outputs))


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


def test_what_a_page_glues_is_shown_there_and_on_others(written: TinyBook) -> None:
    assert len(article(written, "dated").select("math")) == 2
    page = article(written, "glued")
    assert len(page.select("p math mfrac")) == 1
    assert len(page.select("math[display=block] mfrac")) == 1
    assert "2.5 and 2.50." in page.text
    assert not page.select("code")
    cells = read(written.html / "notebooks" / "dated.ipynb", as_version=4).cells
    shown = [output.data for cell in cells for output in cell.get("outputs", [])]
    assert shown == [{"text/plain": "'glued and shown'"}]


def test_what_another_page_has_glued_as_markdown_is_refused_by_its_line(book: TinyBook) -> None:
    book_with(book, dated=GLUING, glued="# Glued\n\n{glue:}`dated.md::words`\n")
    assert "lessons/glued.md, line 8: Of what another page has glued as words" in book.refuse()


def test_a_list_in_a_footnote_stays_one(written: TinyBook) -> None:
    assert "</sup> Two:\n\n- one\n- two" in source(written, "dated")


def test_a_picture_leads_to_a_page_or_a_file(written: TinyBook) -> None:
    page, file = article(written, "linked").select("a.image-reference")
    assert page["href"].endswith("near.html")
    assert (written.html / "lessons" / file["href"]).read_bytes() == DOT


def test_a_link_may_name_a_page_as_the_site_does(written: TinyBook) -> None:
    (links,) = [p for p in article(written, "linked").find_all("p") if p.text.startswith("As ")]
    page, *places = (link["href"] for link in links.find_all("a"))
    assert page.endswith("near.html")
    for address in places:
        name, _, place = address.partition("#")
        assert name.endswith("far.html")
        assert article(written, "far").select_one(f'section[id="{place}"] > h2')


def test_a_link_s_own_words_have_the_number_and_the_formula_of_what_they_name(
    written: TinyBook,
) -> None:
    page = article(written, "linked")
    assert re.search(r"Numbered the table with number \d", page.text)
    (solved,) = [p for p in page.find_all("p") if p.text.startswith("Solved")]
    assert solved.select("a math")
    assert "gamma_" not in solved.text


def test_a_toggle_says_what_a_click_does_and_is_open_if_it_is_to_be(
    written: TinyBook, browser: Browser
) -> None:
    with host(written.html) as address, visit(browser, f"{address}lessons/linked.html") as page:
        closed, opened = page.locator("details.toggle-details").all()
        assert not page.get_by_text("Folded.").is_visible()
        assert page.get_by_text("Open.", exact=True).is_visible()
        assert closed.locator("summary").inner_text() == "Click to show"
        assert opened.locator("summary").inner_text() == "Click to hide"
        closed.locator("summary").click()
        assert page.get_by_text("Folded.").is_visible()
        assert closed.locator("summary").inner_text() == "Click to hide"


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
        (8, "```{image} pics/x.png\n:alt: A.\n:target: none.png\n```", "names the file none.png"),
        (8, "```{toggle} Title\nText.\n```", "{toggle} shows no title"),
    ],
    ids=[
        "footcite",
        "row",
        "tags",
        "html",
        "name",
        "details",
        "substitution",
        "cite",
        "target",
        "toggle",
    ],
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


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("{code-cell}\n:tags: [hide-inputs]", "has the tag hide-inputs, which does nothing. Do yo"),
        ("{code-cell}\n:tags: [remove]", "has the tag remove, which does nothing. Those that"),
        ("{code-cell}\n:tag: [hide-input]", "has the option tag, which does nothing here. Write"),
        ("{code-cell}\n:linenos:", "mystnb: {number_source_lines: true}"),
        ("{code-cell}\n:emphasize-lines: 1", "Show such code with {code-block}"),
        ("{code-cell}\n:caption: A line.", "mystnb: {figure: {caption: A line., name: fig-line}}"),
        ("{code-cell}\n:alt: A line.", "mystnb: {image: {alt: A line.}}"),
        ("{code-cell}\n---\nmystnb: {figures: {}}\n---", "has the option mystnb: {figures: ...}"),
        ("{code-cell}\n---\nmystnb: {image: {widht: 9}}\n---", "the option image: {widht: ...}"),
        ("{code-cell} bash", "is of the language bash, and only Python is executed"),
    ],
)
def test_an_option_of_a_cell_that_does_nothing_is_refused(cell: str, said: str) -> None:
    text = f"{HEAD}# A\n\n```{cell}\n1 + 1\n```\n"
    formats = Formats(MdParserConfig(), NbParserConfig())
    with pytest.raises(LessonError) as refusal:
        formats.parse(Document("a", Path("a.md"), text))
    line = text[: text.index("1 + 1")].count("\n") + 1
    assert str(refusal.value).startswith(f"a.md, code cell 1 (line {line}) ")
    assert said in str(refusal.value)


def test_a_tag_or_an_option_of_an_author_s_own_is_left_alone() -> None:
    cell = "{code-cell} ipython3\n---\ntags: [my-own, margin, hide_input]\nslideshow: {}\n---"
    formats = Formats(MdParserConfig(), NbParserConfig())
    assert formats.parse(Document("a", Path("a.md"), f"{HEAD}# A\n\n```{cell}\n1\n```\n"))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("%%bash\necho one", "%%bash\necho two"),
        ("%%bash\necho one", "%%html\n<b>one</b>"),
        ("%%html\n<b>one</b>", "%%html\n<b>two</b>"),
        ("!echo one", "!echo two"),
        ("%env A=1", "%env A=2"),
        ("%%writefile a.txt\none", "%%writefile a.txt\ntwo"),
    ],
)
def test_what_a_magic_command_is_given_counts(one: str, other: str) -> None:
    formats = Formats(MdParserConfig(), NbParserConfig())

    def essence(code: str) -> tuple[str, ...]:
        document = Document("a", Path("a.md"), f"{HEAD}# A\n\n```{{code-cell}}\n{code}\n```\n")
        return code_of(document, formats.parse(document), formats, ()).cells

    assert essence(one) != essence(other)


CONTENTS = r"""format: jb-book
root: index
options:
  numbered: true
parts:
  - title: Walks
    chapters:
      - file: lessons/walks
        title: "Walks of $\\gamma$"
      - glob: lessons/ch*
        title: Chances
  - caption: Reference
    numbred: true
    chapters:
      - file: claims
      - file: bibliography
"""


def test_entries_of_the_contents_that_nobody_reads_are_refused_by_their_lines(
    book: TinyBook,
) -> None:
    book.write("_toc.yml", CONTENTS)
    said = book.refuse()
    for line, what in {
        3: "options: are of chapters:",
        6: "title: does nothing in a part",
        9: r"$\gamma$ would be shown as it stands",
        11: "title: does nothing in an entry with glob",
        13: "numbred: does nothing in a part",
    }.items():
        assert f"_toc.yml, line {line}: {what}" in said
    assert said.count("_toc.yml, line") == 5
    assert "Traceback" not in said


@pytest.mark.parametrize("setting", ["exclude_patterns: [walks*]", "run_in_temp: true"])
def test_a_setting_without_effect_is_refused(book: TinyBook, setting: str) -> None:
    book.replace("_config.yml", "execute:\n", f"execute:\n  {setting}\n")
    said = book.refuse()
    assert f"_config.yml sets {setting.partition(':')[0]} for executing" in said
    assert "Traceback" not in said
