"""Whatever LaTeX an author writes is MathML on the page, and in the notebook for any viewer."""

from __future__ import annotations

import json
import os
import re
import unicodedata
from pathlib import Path

import pytest
from bs4 import BeautifulSoup, Tag
from tinybook import ENGINE, TinyBook

from evergreen.look.temml import SOURCE, Temml, TemmlError
from evergreen.pages import portable
from evergreen.pages.latex import LatexError, displayed
from evergreen.pages.macros import Macros

ROOT = Path(__file__).parents[2]
MACROS = r"""    mathjax3_config:
      tex:
        macros:
          Reals: '\mathbb{R}'
          Var: ['\operatorname{Var}\left(#1\right)', 1]
          law: ['\mathcal{N}(#1, #2)', 2, '0']
"""
HEAD = """---
file_format: mystnb
kernelspec: {name: python3, display_name: Python 3, language: python}
---

"""
LESSON = (
    HEAD
    + r"""# Formulas of $x \in \Reals$

```{code-cell} ipython3
print("executed")
```

Inline: $\boldsymbol{x}$, $\bm{\Sigma}$, $\operatorname*{arg\,max}_x f$, $\argmax_x f$,
$\underset{x}{\operatorname{arg\,min}}$, $\arg\max_x$, $\not=$, $\not\in$, $\text{if \(x > 0\)}$,
$\mathbb{E}[x]$, $\mathds{1}$, $x'$, $f''_n$, $\sqrt[3]{x}$, $\tfrac12$, $\binom{n}{k}$, $50\,\%$,
$\widehat{xyz}$, $\overset{!}{=}$, $\xrightarrow{f}$, $\cancel{x}$, $\color{red}{x}$, $a < b > c$,
$\left.\frac{a}{b}\right|_{x=0}$, $\mathfrak{g}$, $\mathscr{L}$, $\coloneqq$, $\boxed{x}$.

$$
\newcommand{\norm}[1]{\left\lVert #1 \right\rVert} % for this page
\newcommand{\half}{\frac{1}{2}}
\DeclareMathOperator*{\best}{best}
\def\pair#1#2{(#1, #2)}
$$

Macros: $\norm{x}$, $x^\half$, $\sqrt\half$, $\best_x$, $\pair{a}{b}$, $\Var{x}$, $\law{1}$,
$\law[\mu]{1}$, $\Reals n$.

Before $$ u = v $$ and after.

\begin{align}
a &= b + c \label{eq:align} \\
  &= d \nonumber
\end{align}

\begin{align*}
a &= b
\end{align*}

\begin{equation}
\label{eq:equation}
\begin{split} a &= b \\ &= c \end{split}
\end{equation}

\begin{gather}
a = b \\ c = d
\end{gather}

\begin{multline}
a = b \\ + c
\end{multline}

\begin{eqnarray}
a & = & b \\
c & = & d
\end{eqnarray}

\begin{alignat}{2}
a &= b & c &= d
\end{alignat}

\begin{equation}
a \notag
\end{equation}

\begin{pmatrix} a & b \\ c & d \end{pmatrix}

$$
a = b \tag{$\ast$} \label{eq:tagged}
$$

\begin{align}
a &= b \tag{A} \label{eq:A} \\
c &= d \tag{B} \label{eq:B}
\end{align}

```{math}
:label: eq:directive
a = b \\
c = d

e = f
```

$$ a = b $$ (eq:dollars)

$$
f(x) = \begin{cases} 1 & \text{if } x > 0 \\ 0 & \text{otherwise} \end{cases}
$$

$$
\begin{pmatrix} a & b \\ c & d \end{pmatrix}
\begin{pmatrix} a & b \\ c & d \end{pmatrix}
$$

$$
\begin{array}{c|c} a & b \\ \hline c & d \end{array}

\begin{aligned}
a &= b \\

c &= d
\end{aligned}
$$

References: {eq}`eq:align`; \eqref{eq:equation}; $\eqref{eq:tagged}$; {eq}`eq:A`; \eqref{eq:B};
(\ref{eq:directive}); {eq}`eq:dollars`; $a \overset{\eqref{eq:align}}{=} b$.
"""
)


@pytest.fixture(scope="module")
def formulas(built_book: TinyBook, tmp_path_factory: pytest.TempPathFactory) -> TinyBook:
    """A book with a lesson of formulas, built. No test changes it."""
    book = with_lesson(TinyBook(tmp_path_factory.mktemp("formulas") / "book", built_book.store))
    book.write("lessons/formulas.md", LESSON)
    book.update()
    return book


def with_lesson(book: TinyBook) -> TinyBook:
    book.replace("_config.yml", "    language: en\n", f"    language: en\n{MACROS}")
    first = "      - file: claims\n"
    book.replace("_toc.yml", first, f"      - file: lessons/formulas\n{first}")
    return book


@pytest.fixture(scope="module")
def page(formulas: TinyBook) -> Tag:
    text = (formulas.html / "lessons" / "formulas.html").read_text("utf-8")
    return BeautifulSoup(text, "html.parser").select_one("article.bd-article")


@pytest.fixture(scope="module")
def notebook(formulas: TinyBook) -> str:
    path = formulas.html / "notebooks" / "formulas.ipynb"
    cells = json.loads(path.read_text("utf-8"))["cells"]
    return "\n\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")


def numbers(page: Tag) -> list[str]:
    """Return the numbers beside the displayed formulas; the permalinks' signs are no part."""
    return [re.sub(r"[^()\w∗]", "", number.get_text()) for number in page.select(".eqno")]


def test_no_latex_is_left_on_the_page_and_every_element_has_its_children(page: Tag) -> None:
    assert not re.search(r"\\|\$|\bbegin\b|newcommand", page.get_text())
    for name, count in {"munder": 2, "mover": 2, "msub": 2, "msup": 2, "mfrac": 2}.items():
        assert {len(tag.find_all(recursive=False)) for tag in page.find_all(name)} == {count}


def test_a_formula_within_a_paragraph_is_displayed_between_two(page: Tag) -> None:
    (before,) = [tag for tag in page.find_all("p") if tag.get_text().startswith("Before")]
    formula = before.find_next_sibling()
    assert "math" in formula["class"]
    assert formula.find_next_sibling().get_text() == "and after."
    assert not page.select("p .math, p:empty")


def test_rows_and_blank_lines_are_rows(page: Tag) -> None:
    formula = page.find(id="equation-eq-directive")
    assert [len(table.select(":scope > mtr")) for table in formula.find_all("mtable")] == [2, 2]


def test_an_equation_is_numbered_once_or_has_its_tag(page: Tag) -> None:
    assert numbers(page) == [
        *(f"({number})" for number in range(1, 7)),
        "(∗)",
        "(7)",
        "(8)",
    ]
    assert [tag.get_text() for tag in page.select(".tml-tag")] == ["(A)", "(B)"]
    assert not page.select(".tml-eqn")


def test_a_reference_shows_the_number_beside_its_equation(page: Tag) -> None:
    (paragraph,) = [tag for tag in page.find_all("p") if tag.get_text().startswith("References")]
    links = paragraph.find_all("a")
    shown = [link.get_text() for link in links]
    assert shown == ["(1)", "(2)", "(∗)", "(A)", "(B)", "7", "(8)"]
    for link, number in zip(links, shown, strict=True):
        place = page.find(id=link["href"].removeprefix("#"))
        formula = place if place.name == "div" else place.parent
        assert number.strip("()") in formula.get_text()
    assert paragraph.find("mover").get_text() == "=(1)"


def test_a_notebook_needs_no_macro_and_no_label(notebook: str) -> None:
    for command in ("newcommand", "def", "label", "nonumber", "notag", "eqref", "ref", "bm"):
        assert not re.search(rf"\\{command}(?![a-z])", notebook)
    for macro in ("norm", "half", "best", "pair", "Var", "law", "Reals", "argmax", "mathds"):
        assert rf"\{macro}" not in notebook
    for written in (
        r"$\left\lVert x \right\rVert$",
        r"$x^{\frac{1}{2}}$",
        r"$\operatorname{Var}\left(x\right)$",
        r"$\mathcal{N}(\mu, 1)$",
        r"$\mathbb{R} n$",
    ):
        assert written in notebook


def test_a_notebook_shows_the_numbers_of_the_page(page: Tag, notebook: str) -> None:
    displayed = re.findall(r"\$\$\n(.+?)\n\$\$", notebook, re.DOTALL)
    tags = [f"({tag})" for formula in displayed for tag in re.findall(r"\\tag\{(.+?)\}", formula)]
    assert tags == [*numbers(page)[:7], "(A)", "(B)", *numbers(page)[7:]]
    assert all("\n\n" not in formula for formula in displayed)
    # In a formula, LaTeX allows them nowhere else.
    assert re.findall(r"\\begin\{(?:equation|gather|multline|eqnarray|align)\}", notebook) == []


def test_a_build_without_new_formulas_starts_no_engine(formulas: TinyBook, tmp_path: Path) -> None:
    book = TinyBook(tmp_path / "book", formulas.store, source=formulas.folder)
    book.update()
    book.write("none/py_mini_racer.py", "raise SystemExit('V8 was started')")
    path = os.pathsep.join(map(str, (book.path("none"), book.path("src"), ENGINE)))
    book.update(environment={"PYTHONPATH": path})
    book.replace("lessons/formulas.md", "u = v", "v = u")
    said = book.refuse(environment={"PYTHONPATH": path})
    assert "V8 was started" in said
    assert "package mini-racer" in said


def test_what_cannot_be_read_stops_the_build_with_its_place(book: TinyBook) -> None:
    book = with_lesson(book)
    lines = (
        "# Wrong",
        "Known $x$ and\nunknown $\\wrong{x}$.",
        "$$\na = b \\\\\n\\missing\n$$",
        "$$\n\\begin{aligned} a\n$$",
        "$\\frac{a$",
        "\\begin{nothing}\na\n\\end{nothing}",
    )
    book.write("lessons/formulas.md", "\n\n".join(lines))
    said = book.refuse()
    assert r"lessons/formulas.md, line 17" in said
    assert r"\begin{nothing} stands in the text" in said
    book.write("lessons/formulas.md", "\n\n".join(lines[:-1]))
    said = book.refuse()
    for line, what in ((4, r"\wrong"), (8, r"\missing"), (12, r"\\ or \cr or \end"), (15, "'}'")):
        assert re.search(rf"lessons/formulas\.md, line {line}: .*{re.escape(what)}", said), said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("latex", "says"),
    [
        (r"\newcommand{\a}[1]{#1} \a", r"\a lacks an argument"),
        (r"\newcommand{\a}{\a} \a", r"\a uses itself"),
        (r"\newcommand{\a}[1]{#2} \a{x}", r"\a has no argument #2"),
        (r"\newcommand{\a}[1]{#1} \a{x", r"not closed with }"),
        (r"\newcommand{\a}[x]{#1} \a{x}", "no number in its brackets"),
        (r"\def\a(#1){#1} \a(x)", "arguments other than #1"),
        (r"\left\llbracket x \right.", r"Take \left away"),
        (r"x \pdv{a} y", r"\pdv is not known where notebooks are opened"),
    ],
)
def test_a_macro_that_cannot_be_written_out_is_refused(latex: str, says: str) -> None:
    with pytest.raises(LatexError, match=re.escape(says)):
        Macros({}).write_out(latex)


@pytest.mark.parametrize(
    ("latex", "written"),
    [
        (r"\R n", r"\mathbb{R} n"),
        (r"\newcommand\al\alpha \al b", r"\alpha b"),
        (r"\let\al=\alpha \al{}b", r"\alpha{}b"),
        (r"\newcommand{\al}{\alpha}x\al", r"x\alpha"),
        (r"\newcommand{\a}[2][0]{#1#2}\a{x}\a[y]{z}", "0xyz"),
        (r"\newcommand{\h}{\frac12} x^\h + \hat\h", r"x^{\frac12} + \hat{\frac12}"),
        (r"\providecommand{\R}{R}\renewcommand{\Z}{Z}\R\Z", r"\mathbb{R}Z"),
        ("a % b\nc", "a c"),
        (r"50\% d", r"50\% d"),
        (r"\llbracket x \rrbracket", "⟦ x ⟧"),
        (r"\sgn x \wedgeq \bold{y}\relax", r"\operatorname{sgn} x ≙ \mathbf{y}"),
        (r"\newcommand{\pdv}[1]{\partial #1}\pdv{x}", r"\partial x"),
    ],
)
def test_a_macro_is_written_out_as_tex_expands_it(latex: str, written: str) -> None:
    assert Macros({}).write_out(latex) == written


@pytest.mark.parametrize(
    "latex",
    [r"\begin{split} a \\ b \end{split}", r"\begin{aligned}a\end{aligned}", "x", r"a \tag{1}"],
)
def test_a_formula_in_its_final_form_stays_as_it_is(latex: str) -> None:
    assert displayed(displayed(latex)) == displayed(latex) == latex


def test_every_formula_is_asked_for_once_and_wrong_ones_keep_their_message() -> None:
    temml = Temml()
    temml.prepare([("x", False), ("x", True), (r"\wrong", False)])
    assert 'display="block"' in temml.mathml("x", display=True)
    assert 'display="block"' not in temml.mathml("x", display=False)
    with pytest.raises(TemmlError, match=r"\\wrong"):
        temml.mathml(r"\wrong", display=False)
    temml.close()


def test_the_vendored_temml_is_the_one_that_npm_has(node: None) -> None:
    locked = json.loads((ROOT / "package-lock.json").read_text("utf-8"))["packages"]
    package = ROOT / "node_modules" / "temml"
    about = json.loads((package / "package.json").read_text("utf-8"))
    assert about["version"] == locked["node_modules/temml"]["version"]
    assert (package / "dist" / SOURCE.name).read_bytes() == SOURCE.read_bytes()
    licence = SOURCE.with_name("temml.LICENSE").read_text("utf-8")
    assert (package / "LICENSE").read_text("utf-8") == licence


def test_what_is_written_for_a_command_looks_as_the_command_does() -> None:
    temml = Temml()

    def shown(latex: str) -> str:
        formula = BeautifulSoup(temml.mathml(latex, display=False), "html.parser")
        for annotation in formula.find_all("annotation"):
            annotation.decompose()
        text = unicodedata.normalize("NFKC", formula.get_text())
        return "".join(text.replace("\ufe0e", "").split())

    # Names that Temml lacks, and two that it draws as one character.
    own = {"N", "R", "Z", "mathbbm", "mathds", "coloneqq", "eqqcolon"}
    taking = {"bm", "bold", "emph", "operatornamewithlimits"}
    differing = {
        name
        for name, written in portable.WRITTEN.items()
        if name not in own
        for argument in ("{A}" if name in taking else "",)
        if shown(rf"x \{name}{argument} y") != shown(f"x {written}{argument} y")
    }
    assert differing == set()
    assert portable.REFUSED.isdisjoint(portable.WRITTEN)
    temml.close()
