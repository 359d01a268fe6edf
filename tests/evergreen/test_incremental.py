"""After any edit an incremental build ends with the site of a build from nothing."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from tinybook import TinyBook

PICTURE = '<svg xmlns="http://www.w3.org/2000/svg" width="{0}" height="{0}"></svg>'
STROLLS = """# Strolls

(a-detour)=
## A detour

See {doc}`lessons/walks`, {numref}`fig-ends` and [the others](lessons/chances.md).

```{figure} pictures/coin.svg
:name: fig-coin
:alt: A round coin.
A coin, drawn.
```

```{literalinclude} coin.txt
```
"""
SURVEY = """# A survey

{ref}`a-detour` has {numref}`fig-coin`, and {eq}`eq-distance` holds.
As {cite:t}`pearson1905problem` says, and as in {download}`the file <coin.txt>`.

```{glue:} distance
:doc: lessons/walks.md
```
"""
LAYOUT = '{% extends "!layout.html" %}{% block docs_navbar %}<p>Top 1</p>{% endblock %}'


@pytest.fixture(scope="module")
def edited(built_book: TinyBook, tmp_path_factory: pytest.TempPathFactory) -> TinyBook:
    """A book whose pages show each other's titles, numbers and results, edit after edit."""
    book = TinyBook(tmp_path_factory.mktemp("edited") / "book", built_book.store)
    book.write("book/strolls.md", STROLLS)
    book.write("book/survey.md", SURVEY)
    book.write("book/coin.txt", "heads\n")
    book.write("book/pictures/coin.svg", PICTURE.format(20))
    book.write("book/pictures/logo.svg", PICTURE.format(30))
    book.write("book/_static/notes.txt", "Notes.\n")
    book.write("book/_static/more.txt", "More.\n")
    book.write("book/_templates/layout.html", LAYOUT)
    with book.path("lessons/walks.md").open("a") as lesson:
        lesson.write("\n$$ d = \\sqrt{n} $$ (eq-distance)\n")
    claims = "      - file: claims"
    book.replace("_toc.yml", claims, f"      - file: strolls\n      - file: survey\n{claims}")
    set_option(book, "templates_path", "[_templates]")
    book.update()
    return book


def put_back(book: TinyBook, name: str, old: str, new: str) -> None:
    """Edit a file as if an older one, of the same size, were put in its place."""
    path = book.path(name)
    times = path.stat()
    assert len(old) == len(new)
    book.replace(name, old, new)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def set_option(book: TinyBook, name: str, value: str) -> None:
    book.replace("_config.yml", "    language: en\n", f"    language: en\n    {name}: {value}\n")


# Each edit, and on which pages it must show; the pages are compared whole.


def swap_two_lessons(book: TinyBook) -> None:
    book.replace("_toc.yml", "file: lessons/walks", "file: lessons/first")
    book.replace("_toc.yml", "file: lessons/chances", "file: lessons/walks")
    book.replace("_toc.yml", "file: lessons/first", "file: lessons/chances")


def caption_a_part_otherwise(book: TinyBook) -> None:
    book.replace("_toc.yml", "caption: Walks", "caption: Random walks")


def move_a_lesson_to_another_part(book: TinyBook) -> None:
    book.replace("_toc.yml", "      - file: lessons/walks\n", "")
    book.replace("_toc.yml", "- file: strolls", "- file: strolls\n      - file: lessons/walks")


def give_a_lesson_another_title(book: TinyBook) -> None:
    book.replace("lessons/walks.md", "# How far a walk leads", "# How far does a *walk* lead?")


def give_a_section_another_title(book: TinyBook) -> None:
    book.replace("book/strolls.md", "## A detour", "## Another detour")


def add_a_figure_before_another(book: TinyBook) -> None:
    coin = "```{figure} pictures/coin.svg\n"
    same = f"{coin}:alt: A coin.\n\nThe same coin.\n```\n\n{coin}"
    book.replace("book/strolls.md", f"{coin}:name", f"{same}:name")


def compute_another_number(book: TinyBook) -> None:
    book.replace(
        "lessons/walks.md", "walks.load(steps=400, seed=1)", "walks.load(steps=400, seed=2)"
    )


def cite_nobody_anymore(book: TinyBook) -> None:
    book.replace("lessons/walks.md", " {cite}`pearson1905problem`", "")


def name_another_author(book: TinyBook) -> None:
    put_back(book, "book/references.bib", "Pearson, Karl", "Pearsen, Karl")


def give_a_work_another_address(book: TinyBook) -> None:
    book.replace("book/references.bib", "10.1038/072294b0", "10.1038/072342a0")


def put_an_older_page_back(book: TinyBook) -> None:
    put_back(book, "book/strolls.md", "A coin, drawn.", "A coin, drewn.")


def put_an_older_included_file_back(book: TinyBook) -> None:
    put_back(book, "book/coin.txt", "heads", "tails")


def put_an_older_picture_back(book: TinyBook) -> None:
    put_back(book, "book/pictures/coin.svg", 'width="20"', 'width="21"')


def put_an_older_template_back(book: TinyBook) -> None:
    put_back(book, "book/_templates/layout.html", "Top 1", "Top 2")


def put_an_older_static_file_back(book: TinyBook) -> None:
    put_back(book, "book/_static/notes.txt", "Notes", "Votes")


def delete_a_static_file(book: TinyBook) -> None:
    book.path("book/_static/more.txt").unlink()


def show_a_logo(book: TinyBook) -> None:
    book.replace(
        "_config.yml",
        "author: The book's authors\n",
        "author: The book's authors\nlogo: pictures/logo.svg\n",
    )


def put_an_older_logo_back(book: TinyBook) -> None:
    put_back(book, "book/pictures/logo.svg", 'width="30"', 'width="31"')


def show_no_picture_anymore(book: TinyBook) -> None:
    text = book.read("book/strolls.md")
    book.write("book/strolls.md", text[: text.index("```{figure}")])
    book.replace("book/survey.md", " has {numref}`fig-coin`", "")
    book.replace("book/survey.md", ", and as in {download}`the file <coin.txt>`", "")


def rename_a_page(book: TinyBook) -> None:
    book.path("book/strolls.md").rename(book.path("book/long walks.md"))
    book.replace("_toc.yml", "file: strolls", "file: long walks")


def leave_a_page_out(book: TinyBook) -> None:
    book.replace("_toc.yml", "      - file: long walks\n", "")


def leave_a_lesson_out(book: TinyBook) -> None:
    other = "url: https://example.org/ways\n        title: Elsewhere"
    book.replace("_toc.yml", "file: lessons/chances", other)


def name_another_title_and_author(book: TinyBook) -> None:
    book.replace("_config.yml", "title: Random walks", "title: Walks at random")
    book.replace("_config.yml", "author: The book's authors", "author: The same authors")


def write_another_footer(book: TinyBook) -> None:
    book.replace("_config.yml", "html:\n", "html:\n  extra_footer: Made by hand.\n")


def name_the_repository(book: TinyBook) -> None:
    book.replace("_config.yml", 'url: ""', "url: https://github.com/a-school/walks")


def choose_another_branch(book: TinyBook) -> None:
    set_option(book, "evergreen_branch", "readers")


def choose_other_options_of_the_theme(book: TinyBook) -> None:
    set_option(book, "html_theme_options", "{show_prev_next: false}")


EDITS = [
    swap_two_lessons,
    caption_a_part_otherwise,
    move_a_lesson_to_another_part,
    give_a_lesson_another_title,
    give_a_section_another_title,
    add_a_figure_before_another,
    compute_another_number,
    cite_nobody_anymore,
    name_another_author,
    give_a_work_another_address,
    put_an_older_page_back,
    put_an_older_included_file_back,
    put_an_older_picture_back,
    put_an_older_template_back,
    put_an_older_static_file_back,
    delete_a_static_file,
    show_a_logo,
    put_an_older_logo_back,
    show_no_picture_anymore,
    rename_a_page,
    leave_a_page_out,
    leave_a_lesson_out,
    name_another_title_and_author,
    write_another_footer,
    name_the_repository,
    choose_another_branch,
    choose_other_options_of_the_theme,
]


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.__name__)
def test_an_edit_shows_wherever_it_shows_in_a_first_build(
    edited: TinyBook, tmp_path: Path, edit: Callable[[TinyBook], None]
) -> None:
    edit(edited)
    assert edited.update().changed
    first = edited.from_nothing(tmp_path / "book", results=edited.store)
    now = edited.site()
    assert sorted(name for name in first | now if first.get(name) != now.get(name)) == []
