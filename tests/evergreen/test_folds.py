"""Code that only checks or only lays out folds on its page, in the notebook too."""

from __future__ import annotations

import nbformat
import pytest
from bs4 import BeautifulSoup, Tag
from tinybook import TinyBook

LESSON = """---
file_format: mystnb
kernelspec:
  name: python3
  language: python
---

# Folds

```{code-cell} ipython3
from evergreen.claims import claim, glue

def sides(count):
    return list(range(1, count + 1))
```

```{code-cell} ipython3
glue(sides=6)
total = sum(sides(6))
claim(total == 21, "A die has 21 eyes.")
```

```{code-cell} ipython3
:tags: [show-input]

claim(sides(6)[-1] == 6, "Its last side has six.")
```

```{code-cell} ipython3
:tags: [hide-output]

claim(sides(6)[0] == 1, "Its first side has one.")
```

```{code-cell} ipython3
---
mystnb: {code_prompt_show: Show me, code_prompt_hide: Hide it}
---
claim(sides(2) == [1, 2], "A coin has two sides.")
```

```{code-cell} ipython3
class Table:
    def __init__(self, rows):
        self.rows = rows

    def _repr_html_(self):
        cells = "".join(f"<tr><td>{row}</td></tr>" for row in self.rows)
        return f"<table>{cells}</table>"


Table(sides(6))
```

```{code-cell} ipython3
Table(sides(4))
```

```{code-cell} ipython3
print("A table with words.")
rows = sides(8)
rows = [row for row in rows if row]
rows = [row for row in rows if row]
rows = [row for row in rows if row]
rows = [row for row in rows if row]
Table(rows)
```

```{code-cell} ipython3
---
mystnb:
  image: {alt: A square.}
  figure: {caption: A square.}
---
from IPython.display import SVG

corners = "0,0 0,1 1,1 1,0"
size = 100
head = f"<svg xmlns='http://www.w3.org/2000/svg' width='{size}' height='{size}'>"
drawn = f"<polygon points='{corners}'/>"
tail = "</svg>"
SVG(f"{head}{drawn}{tail}")
```

```{code-cell} ipython3
---
mystnb: {image: {alt: A square.}}
tags: [hide-input]
---
SVG(f"{head}{drawn}{tail}")
```

```{code-cell} ipython3
:tags: [hide-input]

total
```
"""
CHECK, TABLE = "How this was checked", "How this table was made"
FIGURE = "How this figure was drawn"
EXPECTED = [
    ("from evergreen", None),
    ("glue(sides", CHECK),
    ("claim(sides(6)[-1]", None),
    ("claim(sides(6)[0]", None),
    ("claim(sides(2)", "Show me"),
    ("class Table", TABLE),
    ("Table(sides(4))", None),
    ("print(", None),
    ("from IPython", FIGURE),
    ("SVG(", FIGURE),
    ("total", "Show code cell source"),
]


@pytest.fixture(scope="module")
def folded(built_book: TinyBook, tmp_path_factory: pytest.TempPathFactory) -> TinyBook:
    book = TinyBook(tmp_path_factory.mktemp("folded") / "book", built_book.store)
    book.write("lessons/folds.md", LESSON)
    book.replace(
        "_toc.yml",
        "      - file: lessons/chances",
        "      - file: lessons/chances\n      - file: lessons/folds",
    )
    book.update()
    return book


def cells(book: TinyBook) -> list[Tag]:
    page = BeautifulSoup(book.read("_build/html/lessons/folds.html"), "html.parser")
    return page.select("div.cell")


def summary(cell: Tag) -> str | None:
    """Return what unfolds a cell's code, if it is folded."""
    code = cell.select_one("div.cell_input")
    fold = code.find_parent("details")
    return fold and fold.summary.find("span").get_text()


def test_code_of_claims_and_long_code_of_displays_folds_and_no_other(folded: TinyBook) -> None:
    found = cells(folded)
    for cell, (begins, words) in zip(found, EXPECTED, strict=True):
        assert cell.select_one("div.cell_input").get_text().strip().startswith(begins)
        assert summary(cell) == words


def test_what_is_claimed_or_shown_comes_before_its_code(folded: TinyBook) -> None:
    for cell in cells(folded):
        if summary(cell) in (CHECK, TABLE, FIGURE):
            output, fold = cell.find_all(True, recursive=False)
            assert "cell_output" in output["class"]
            assert fold.name == "details"
            assert not fold.has_attr("open")


def test_the_notebook_folds_the_same_code_and_keeps_it(folded: TinyBook) -> None:
    notebook = nbformat.read(folded.html / "notebooks" / "folds.ipynb", as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for cell, (begins, words) in zip(code, EXPECTED, strict=True):
        assert cell.source.startswith(begins)
        hidden = cell.metadata.get("jupyter", {}).get("source_hidden", False)
        assert hidden == (cell.metadata.get("cellView") == "form") == (words is not None)
        assert "folded-below" not in cell.metadata.get("tags", [])


def test_another_length_of_code_folds_other_cells_and_executes_nothing(folded: TinyBook) -> None:
    folded.replace("_config.yml", "    language: en\n", "    language: de\n")
    folded.replace(
        "_config.yml",
        "    evergreen_packages",
        "    evergreen_display_lines: 0\n    evergreen_packages",
    )
    built = folded.update()
    assert built.executed == []
    words = [summary(cell) for cell in cells(folded)]
    tables, figures = "Wie diese Tabelle entstand", "Wie dieses Bild gezeichnet wurde"
    assert words == [
        None,
        "Wie das geprüft wurde",
        *(None, None, "Show me", tables, tables, None, figures, figures),
        "Zelle aufklappen",
    ]
