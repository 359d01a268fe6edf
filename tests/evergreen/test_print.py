"""The printed book has every page of the contents, and all that folds on a page."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from pypdf import PdfReader
from tinybook import TinyBook

PROGRAM = Path(__file__).parents[2] / "tools" / "pdf.py"
NESTED = """format: jb-book
root: index
parts:
  - caption: Walks
    numbered: true
    chapters:
      - file: lessons/walks
        sections:
          - file: lessons/chances
          - url: https://example.org/walks
            title: Elsewhere
      - file: folds
      - glob: more/*
  - caption: Reference
    chapters:
      - file: claims
      - file: bibliography
"""
FLAT = """format: jb-book
root: index.md
chapters:
  - file: lessons/chances.md
  - file: folds
  - file: lessons/walks
  - file: claims
  - file: bibliography
"""
FOLDS = """---
file_format: mystnb
kernelspec:
  name: python3
---

# Folds

::::{tab-set}
:::{tab-item} One
Below tab one.
:::
:::{tab-item} Two
Below tab two.
:::
::::

:::{dropdown} A fold
In the fold.
:::

```{admonition} An admonition
:class: dropdown
In the admonition.
```

```{code-cell} ipython3
:tags: [hide-output]
print("in the", "output")
```

```{code-cell} ipython3
:tags: [hide-cell]
print(*range(7))
```

```{code-cell} ipython3
:tags: [output_scroll]
for number in range(80):
    print("row", 1000 + number)
```

```{code-cell} ipython3
from IPython.display import HTML

HTML("<p id='place'></p><script>place.textContent = 'Drawn'</script>")
```

```{code-cell} ipython3
HTML("<script>window.prepared = 'in silence'</script>")
```

```{code-cell} ipython3
:tags: [hide-output]
HTML("<p id='folded'></p><script>folded.textContent = 'Folded'</script>")
```
"""


@pytest.fixture(scope="module")
def printed(built_book: TinyBook, tmp_path_factory: pytest.TempPathFactory) -> TinyBook:
    """A book with nested contents, and its site."""
    if not any(map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))):
        pytest.skip("There is no Chromium.")
    book = TinyBook(tmp_path_factory.mktemp("printed") / "book", built_book.store)
    book.write("_toc.yml", NESTED)
    book.write("book/folds.md", FOLDS)
    book.write("book/more/first page.md", "# First\n\nSee {doc}`/folds`.\n")
    book.write("book/more/second.md", "# Second\n\nOf more.\n")
    book.update()
    return book


def printout(book: TinyBook) -> PdfReader:
    file = book.folder / "book.pdf"
    command = [sys.executable, str(PROGRAM), str(book.html), str(file)]
    result = subprocess.run(command, cwd=book.folder, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return PdfReader(file)


def titles(pdf: PdfReader) -> list[str]:
    return [entry.title for entry in pdf.outline if not isinstance(entry, list)]


def test_every_page_of_nested_contents_is_printed_and_all_that_folds(printed: TinyBook) -> None:
    contents = printed.read("_build/html/index.html")
    assert 'href="https://example.org/walks"' in contents
    pdf = printout(printed)
    assert titles(pdf) == [
        "Random walks",
        "1. How far a walk leads",
        "1.1. How many ways lead there",
        "2. Folds",
        "3. First",
        "4. Second",
        "Every claim",
        "Bibliography",
    ]
    text = "\n".join(page.extract_text() for page in pdf.pages)
    for shown in ("tab one", "tab two", "the fold", "the admonition", "in the output"):
        assert shown in text
    for shown in ("0 1 2 3 4 5 6", "row 1079", "Fig. 1.1", "Twice as far", f"1 / {len(pdf.pages)}"):
        assert shown in text
    drawn = [page for page in pdf.pages if ".textContent" in page.extract_text()]
    assert sum(len(page.images) for page in drawn) == 2


def test_every_page_of_flat_contents_is_printed_in_their_order(printed: TinyBook) -> None:
    printed.write("_toc.yml", FLAT)
    printed.update()
    assert titles(printout(printed)) == [
        "Random walks",
        "How many ways lead there",
        "Folds",
        "How far a walk leads",
        "Every claim",
        "Bibliography",
    ]
