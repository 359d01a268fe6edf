"""Whatever a lesson is written in is executed, and what goes wrong in it is one message."""

from __future__ import annotations

import json
import re

import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_output
from tinybook import TinyBook

from evergreen.lessons import streams

HEAD = """---
file_format: mystnb
kernelspec:
  name: python3
---

# A lesson

"""


def lesson(*cells: str) -> str:
    """Return a lesson with some code cells, each with its options if it has any."""
    return HEAD + "\n".join(f"```{{code-cell}} ipython3\n{cell}\n```\n" for cell in cells)


def add(book: TinyBook, name: str, content: str | bytes) -> None:
    """Add a lesson to a book and to its contents."""
    path = book.path(f"lessons/{name}")
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    entry = "      - file: "
    added = f"{entry}lessons/{path.stem}\n{entry}claims"
    book.replace("_toc.yml", f"{entry}claims", added)


def notebook(*cells: tuple[str, str]) -> str:
    """Return a Jupyter notebook with code cells and the texts that it was saved with."""
    return json.dumps(
        {
            "cells": [
                {"cell_type": "markdown", "id": "title", "metadata": {}, "source": "# Saved"},
                *(
                    {
                        "cell_type": "code",
                        "id": f"cell-{number}",
                        "metadata": {},
                        "source": source,
                        "execution_count": 1,
                        "outputs": [
                            {
                                "output_type": "execute_result",
                                "execution_count": 1,
                                "metadata": {},
                                "data": {"text/plain": saved},
                            }
                        ],
                    }
                    for number, (source, saved) in enumerate(cells)
                ),
            ],
            "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3"}},
            "nbformat": 4,
            "nbformat_minor": 5,
        }
    )


# What each kind of lesson shows, none of which may be lost or refused.
KINDS: dict[str, tuple[str | bytes, str]] = {
    "saved.ipynb": (notebook(("1 + 1", "3")), "2"),
    "bom.md": (b"\xef\xbb\xbf" + lesson("print(6 * 7)").encode(), "42"),
    "crlf.md": (lesson("print(6 * 8)").replace("\n", "\r\n"), "48"),
    "bash.md": (lesson("%%bash\nfor i in 1 2; do echo line $i; done"), "line 2"),
    "assigned.md": (lesson("lines = !echo one\nprint(lines)"), "['one']"),
    "remark.md": (lesson("from toy import chances  # which?\nprint(chances.ways(2, 0))"), "2"),
    "question.md": (lesson("if 3 > 2:  # is it large?\n    print('large')"), "large"),
    "percent.md": (lesson("print(\n    'a value of %d'\n    % 3\n)"), "a value of 3"),
    "nested.md": (lesson("for i in range(2):\n    %precision 3\nprint('done')"), "done"),
    "awaiting.md": (lesson("import asyncio\nawait asyncio.sleep(0)\nprint('awake')"), "awake"),
    "loaded.md": (lesson(":load: beside.txt"), "from a file"),
    "wrong.md": (lesson(":tags: [raises-exception]\n1 = 2"), "cannot assign to literal"),
    "skipped.md": (lesson(":tags: [skip-execution]\nanswer = input()", "print('on')"), "on"),
    "between.md": (
        lesson("print('1', end='')\nprint('', '2')\ndisplay('3')\nprint('0\\r4')"),
        "1 2\n\n\n'3'\n\n\n4\n",
    ),
    "warning.md": (
        lesson(
            ":tags: [remove-stderr]\nimport warnings\nwarnings.warn('old')\nprint('new')",
        ),
        "new",
    ),
}


@pytest.fixture(scope="module")
def kinds(built_book: TinyBook, tmp_path_factory: pytest.TempPathFactory) -> TinyBook:
    """A book with a lesson of every kind."""
    book = TinyBook(tmp_path_factory.mktemp("kinds") / "book", built_book.store)
    for name, (content, _) in KINDS.items():
        add(book, name, content)
    book.write("lessons/beside.txt", "print('from', 'a', 'file')")
    assert len(book.update().executed) == len(KINDS)
    return book


@pytest.mark.parametrize("name", KINDS)
def test_a_lesson_of_any_kind_is_executed(kinds: TinyBook, name: str) -> None:
    page = (kinds.html / "lessons" / name).with_suffix(".html").read_text("utf-8")
    text = re.sub(r"<[^>]*>", "", page)
    assert KINDS[name][1] in text.replace("&#39;", "'")


def test_what_a_notebook_was_saved_with_is_never_shown(kinds: TinyBook) -> None:
    shown = kinds.html / "lessons" / "saved.html"
    assert not re.search(r">\s*3\s*<", shown.read_text("utf-8"))


def test_printed_text_is_what_a_terminal_shows_and_stays_between_its_outputs() -> None:
    def stream(text: str, name: str = "stdout") -> NotebookNode:
        return new_output("stream", name=name, text=text)

    shown = new_output("display_data", data={"text/plain": "shown"})
    outputs = [stream("9 %\r10 %\r\n"), stream("old", "stderr"), stream("ab\bc\b\bd"), shown]
    first, second, third, last = streams.merged([*outputs, stream("end\r")])
    assert (first.text, second.text, third, last.text) == ("10 %\r\nd", "old", shown, "end\r")


def test_what_is_written_to_stderr_is_removed_where_a_tag_says_so(kinds: TinyBook) -> None:
    site = kinds.site()
    for name in ("lessons/warning.html", "notebooks/warning.ipynb"):
        assert b"UserWarning" not in site[name]


def test_code_in_another_file_counts(kinds: TinyBook) -> None:
    kinds.write("lessons/beside.txt", "print('from', 'another', 'file')")
    assert kinds.update().executed == ["lessons/loaded"]
    kinds.write("lessons/beside.txt", "print('from', 'another', 'file')  # and a remark")
    result = kinds.update()
    assert (result.executed, result.changed_pages) == ([], {"lessons/loaded"})


# What is wrong with a lesson, and what is said of it. A fence stands in line 9.
FAILURES = {
    "a failing cell": (lesson("x = 1", "y = 2\n1 / (y - 2)"), ["code cell 2 (line 15) failed:"]),
    "a false claim": (
        lesson("from evergreen.claims import claim\n\nclaim(1 > 2, 'One is more than two.')"),
        ["code cell 1 (line 12): This claim does not hold", "two. Its condition is `1 > 2`.\n"],
    ),
    "what a false claim leaves undone": (
        lesson(
            "from evergreen.claims import claim\n\nclaim(1 > 2, 'One is more.')\nx = 1", "print(x)"
        ),
        ["code cell 1 (line 12): This claim", "code cell 2 (line 17) failed:", "NameError"],
    ),
    "a cell that is not Python": (
        lesson("x = 1", "---\ntags: [hide-input]\n---\n\ny = 2\nz = = 3"),
        ["code cell 2 (line 19) is not Python: invalid syntax."],
    ),
    "a cell that ends its kernel": (
        lesson("print(1)", "import os\nos.kill(os.getpid(), 9)"),
        ["code cell 2 (line 14) ended its kernel, perhaps for want of memory."],
    ),
    "a cell that asks for input": (
        lesson("print(1)", "name = input('Your name?')"),
        ["code cell 2 (line 14) asks for input, and nobody is there to type it."],
    ),
    "a cell that takes too long": (
        lesson("print(1)", "while True:\n    pass").replace(
            "---\n\n#", "mystnb: {execution_timeout: 2}\n---\n\n#"
        ),
        ["code cell 2 (line 15) took longer than its time limit of 2 s.", "execute: timeout:"],
    ),
    "a cell that writes to stderr": (
        lesson("import sys\nprint('careful', file=sys.stderr)"),
        ["code cell 1 (line 10) wrote to stderr", "remove-stderr", "careful"],
    ),
    "an output of no known form": (
        lesson(
            "class Own:\n    def _repr_mimebundle_(self, **_):\n"
            "        return {'application/x-own': {'a': 1}}\nOwn()"
        ),
        ["code cell 1 (line 10) shows what no notebook can hold: {'a': 1}", "ends in +json."],
    ),
    "options that are none": (
        lesson("---\nmystnb: {figure: A line.}\n---\n1"),
        ["code cell 1 (line 13) has 'A line.' as its `figure`, which takes options, as in `figure"],
    ),
    "words that are none": (
        lesson("---\nmystnb: {image: {alt: 5}}\n---\n1"),
        ["code cell 1 (line 13) has 5 as its `alt`, which YAML takes for no text."],
    ),
    "tags that are no list": (lesson(":tags: hide-input\n1"), ["Write [hide-input]."]),
    "a cell that exits": (
        lesson("x = 1", "print(x)\nexit()"),
        ["code cell 2 (line 15) ends its kernel with exit(), and the cells below need it."],
    ),
    "a missing file": (
        lesson("print(1)").replace("kernelspec", "evergreen: {files: [no.csv]}\nkernelspec"),
        ["names no.csv in its front matter (evergreen: files:), which cannot be read: No such"],
    ),
    "no list of files": (
        lesson("print(1)").replace("kernelspec", "evergreen: {files: one.csv}\nkernelspec"),
        ["does not list its files as `evergreen: {files: [a.csv, b.csv]}`"],
    ),
    "no time": (
        lesson("print(2)").replace("kernelspec", "mystnb: {execution_timeout: soon}\nkernelspec"),
        ["sets 'soon' as its time limit (mystnb: execution_timeout:)"],
    ),
    "a cell inside a box": (
        lesson("print(1)") + "````{note}\n```{code-cell} ipython3\nprint(2)\n```\n````\n",
        ["line 14: This code cell is not executed.", "{solution-start}"],
    ),
    "another encoding": (
        (HEAD + "Ein schöner Satz.\n").encode("latin-1"),
        ["line 9 is not in UTF-8 (byte 0xf6). Save the file in that encoding."],
    ),
    "another language": (
        lesson("x <- 1").replace("name: python3", "name: ir"),
        ["asks for the kernel 'ir', and only Python is executed."],
    ),
    "a notebook that fails": (
        notebook(("1 / 0", "1")),
        ["code cell 1 (line 1 of the cell) failed:"],
    ),
    "a notebook that is none": ("{", ["cannot be read as a notebook: "]),
}


@pytest.mark.parametrize("what", FAILURES)
def test_what_is_wrong_with_a_lesson_is_said_once_and_where(book: TinyBook, what: str) -> None:
    content, said = FAILURES[what]
    suffix = "ipynb" if "notebook" in what else "md"
    add(book, f"new.{suffix}", content)
    output = book.refuse()
    message = output[output.index("LessonError: ") :]
    assert message.startswith(f"LessonError: lessons/new.{suffix}")
    assert [part for part in said if part not in message] == []
    # Of the cell alone, and no other call stack before or after.
    assert output.count("Traceback") == message.count("failed:")
    assert output.endswith(message)


def test_all_false_claims_are_said_at_once_and_true_lessons_are_kept(book: TinyBook) -> None:
    false = lesson(
        "from evergreen.claims import claim\n\nclaim(1 > 2, 'One is more.')",
        "claim(2 > 1, 'Two is more.')",
        "claim(2 > 3, 'Two is more than three.')",
    )
    expected = (
        "---\ntags: [raises-exception]\n---\nfrom evergreen.claims import claim\nclaim(0, 'No.')"
    )
    for name, content in {"one": false, "other": false, "shown": lesson(expected)}.items():
        add(book, f"{name}.md", content)
    result = book.build()
    assert result.status != 0
    assert re.findall(
        r"^(?:.*: )?lessons/(\w+).md, code cell (\d) \(line (\d+)\)", result.output, re.M
    ) == [
        ("one", "1", "12"),
        ("one", "3", "20"),
        ("other", "1", "12"),
        ("other", "3", "20"),
    ]
    assert "lessons/shown" in result.executed
    for name in ("one", "other"):
        book.write(f"lessons/{name}.md", lesson(f"print('{name}')"))
    assert book.update().executed == ["lessons/one", "lessons/other"]
