"""What a book's reference mocks is never loaded: neither is it needed, nor does it take time."""

from __future__ import annotations

from tinybook import TinyBook

REFERENCE = """
```{eval-rst}
.. automodule:: toy.derived
   :members:
```
"""


def test_a_class_is_documented_whose_base_is_mocked_and_cannot_be_loaded(book: TinyBook) -> None:
    last = "      - evergreen\n"
    book.replace("_config.yml", last, f"      - sphinx.ext.autodoc\n{last}")
    line = "    language: en\n"
    book.replace("_config.yml", line, f"{line}    autodoc_mock_imports: [heavy]\n")
    book.write("src/heavy/__init__.py", 'raise SystemExit("This was not to be loaded.")\n')
    book.write("src/heavy/parts.py", "class Base: ...\n")
    book.write(
        "src/toy/derived.py",
        "from heavy import parts\n\n\n"
        'class Derived(parts.Base):\n    """It derives from a mocked class."""\n\n'
        '    def __init__(self, size: int) -> None:\n        """It has a size."""\n',
    )
    with book.path("book/index.md").open("a") as page:
        page.write(REFERENCE)
    book.update()
    assert "It derives from a mocked class." in book.read("_build/html/index.html")
