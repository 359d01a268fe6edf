"""Whatever a cell shows or HTML brings along is on the page, or a sentence says why not."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup
from nbformat import read
from nbformat.v4 import new_code_cell, new_notebook, new_output
from PIL import Image
from playwright.sync_api import Browser
from support.browsing import DESK, PHONE, look_at, visit
from support.hosting import host
from tinybook import TinyBook

from evergreen.lessons import outputs, showing
from evergreen.lessons.reading import Document, LessonError
from evergreen.look import addresses

HEAD = "---\nfile_format: mystnb\nkernelspec:\n  name: python3\n---\n\n# Shown\n\n"
DOT = base64.b64encode(
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x00\x00\x00\x00:~\x9bU"
    b"\x00\x00\x00\nIDATx\x9cc`\x00\x00\x00\x02\x00\x01H\xaf\xa4q\x00\x00\x00\x00IEND\xaeB`\x82"
).decode()
DATA = f"data:image/png;base64,{DOT}"
SOUND = "data:audio/wav;base64,UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQAAAAA="


# What a page can show


def prepare(data: dict[str, Any], twice: bool = False, **mystnb: Any) -> dict[str, Any]:
    """Return an output's data as its page shows it, of a cell with some options."""
    cell = new_code_cell("show()", metadata={"mystnb": mystnb} if mystnb else {})
    shown = [new_output("display_data", data=data)] * (1 + twice) if data else []
    cell.outputs = [*shown, new_output("stream", name="stdout", text="printed")]
    notebook = new_notebook(cells=[cell])
    document = Document("lesson", Path("lesson.md"), "```{code-cell}\nshow()\n```\n")
    notebook.metadata["source_map"] = [0]
    outputs.prepare(document, notebook)
    return dict(cell.outputs[0].data) if data else {}


FIGURE = {"image": {"alt": "A line."}, "figure": {"caption": "A line."}}

REFUSED: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "a widget": (
        {"text/plain": "Slider()", "application/vnd.jupyter.widget-view+json": {"model_id": "1"}},
        {},
        "shows a widget, which needs a running kernel",
    ),
    "an unknown kind": (
        {"text/plain": "<Map>", "application/geo+json": {}},
        {},
        "shows only application/geo+json, which a page cannot show.",
    ),
    "nothing but an unknown kind": (
        {"application/vnd.vegalite.v6+json": {}},
        {},
        "shows only application/vnd.vegalite.v6+json, which a page cannot show.",
    ),
    "a picture without words": (
        {"image/png": DOT, "text/plain": "<Figure>"},
        {},
        "shows a picture without words",
    ),
    "a figure without words": (
        {"image/png": DOT},
        {"figure": {"caption": "A line."}},
        "shows a picture without words",
    ),
    "a figure without a caption": (
        {"image/png": DOT},
        {"image": {"alt": "A line."}, "figure": {"name": "fig-line"}},
        "is a figure without a caption",
    ),
    "two pictures with words for one": (
        {"image/png": DOT},
        {"image": {"alt": "A line."}},
        "has 2 pictures and words for 1 of them. Write a list",
    ),
    "two pictures with words for three": (
        {"image/png": DOT},
        {"image": {"alt": ["One.", "Two.", "Three."]}},
        "has 2 pictures and words for 3 of them. Write a list",
    ),
    "a figure of two": (
        {"text/html": "<table></table>"},
        FIGURE,
        "is one figure and shows 2 outputs",
    ),
    "a figure of nothing": ({}, FIGURE, "is to be a figure and shows nothing"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_a_page_cannot_show_is_refused_by_cell_and_line(what: str) -> None:
    data, options, said = REFUSED[what]
    with pytest.raises(LessonError) as refusal:
        prepare(data, " 2 " in said, **options)
    assert str(refusal.value).startswith(f"lesson.md, code cell 1 (line 2) {said}")


def test_a_figure_beside_what_its_last_line_gives_asks_for_a_semicolon() -> None:
    cell = new_code_cell("plt.plot([1, 2])", metadata={"mystnb": FIGURE})
    cell.outputs = [
        new_output("execute_result", data={"text/plain": "[<Line2D at 0x7f>]"}),
        new_output("display_data", data={"image/png": DOT}),
    ]
    with pytest.raises(LessonError, match=r"shows text too: \[<Line2D at 0x7f>\]\. .* semicolon"):
        outputs.prepare(Document("lesson", Path("lesson.md"), ""), new_notebook(cells=[cell]))


def test_each_picture_of_a_cell_has_the_words_of_its_place() -> None:
    options = {"image": {"alt": ["First.", "Second."], "width": "300px"}}
    cell = new_code_cell("show()", metadata={"mystnb": options})
    own = {"image/png": {"alt": "Its own.", "width": 4}}
    cell.outputs = [
        new_output("display_data", data={"image/png": DOT}),
        new_output("display_data", data={"image/png": DOT}, metadata=own),
        new_output("display_data", data={"image/svg+xml": "<svg/>"}),
    ]
    outputs.prepare(Document("lesson", Path("lesson.md"), ""), new_notebook(cells=[cell]))
    words = [next(iter(output.metadata.values()))["alt"] for output in cell.outputs]
    assert words == ["First.", "Its own.", "Second."]
    assert cell.metadata["mystnb"]["image"] == {"width": "300px"}


def test_an_unknown_kind_is_left_out_where_the_page_can_show_another() -> None:
    table = {"text/html": "<table></table>", "application/vnd.dataresource+json": {}}
    assert prepare(table) == {"text/html": "<table></table>"}
    widget = {"image/png": DOT, "application/vnd.jupyter.widget-view+json": {}}
    assert prepare(widget, image={"alt": ""}) == {"image/png": DOT}


@pytest.mark.parametrize(
    ("given", "kind", "shown"),
    [
        ({"application/json": {"a": [1]}}, "text/plain", '{\n  "a": [\n    1\n  ]\n}'),
        ({"text/latex": r"$\frac{1}{2}$"}, "text/latex", r"$\frac{1}{2}$"),
        ({"image/png": DOT, "text/latex": "$x^2$"}, "text/latex", "$x^2$"),
        ({"text/latex": "$$\nx\n$$"}, "text/latex", "$$\nx\n$$"),
        ({"text/latex": r"\begin{align}a\end{align}"}, "text/latex", r"\begin{align}a\end{align}"),
        ({"text/latex": r"Of $x$ and \(y\)"}, "text/markdown", "Of $x$ and $y$"),
        ({"text/latex": r"\$5 $x$ \[y\]"}, "text/markdown", "\\$5 $x$ \n\n$$\ny\n$$\n\n"),
        (
            {"text/latex": r"$x$ \begin{align}a\end{align}"},
            "text/markdown",
            "$x$ \n\n$$\n\\begin{align*}a\\end{align*}\n$$\n\n",
        ),
        (
            {f"{showing.GLUED}text/plain": "np.float64(2.5)"},
            f"{showing.GLUED}text/plain",
            "2.5",
        ),
    ],
)
def test_what_jupyter_draws_is_shown_by_a_type_that_a_page_can_draw(
    given: dict[str, Any], kind: str, shown: str
) -> None:
    data = showing.as_shown({"text/plain": "<object>", **given})
    assert {name: text for name, text in data.items() if text != "<object>"} == {kind: shown}


def test_a_progress_bar_that_is_a_widget_leaves_nothing() -> None:
    cell = new_code_cell("for step in tqdm(range(3)): ...")
    widget = "application/vnd.jupyter.widget-view+json"
    cell.outputs = [
        new_output("display_data", data={"text/plain": text, widget: {"model_id": "1"}})
        for text in ("x:   0%|          | 0/3 [00:00<?, ?it/s]", "0it [00:00, ?it/s]")
    ]
    outputs.prepare(Document("lesson", Path("lesson.md"), ""), new_notebook(cells=[cell]))
    assert cell.outputs == []


def test_a_plot_with_formulas_asks_for_what_draws_them_and_no_other_plot_does() -> None:
    for title, asks in (("$\\gamma$", True), ("gamma", False)):
        figure = {"data": [], "layout": {"title": {"text": title}}}
        html = prepare({"application/vnd.plotly.v1+json": figure})["text/html"]
        loaded = [asked.address for asked in addresses.asked_by(html)]
        assert (showing.MATHJAX in loaded) == asks


def test_a_picture_in_an_output_that_its_page_leaves_out_needs_no_words() -> None:
    cell = new_code_cell("show()", metadata={"tags": ["remove-output"]})
    cell.outputs = [new_output("display_data", data={"image/png": DOT})]
    outputs.prepare(Document("lesson", Path("lesson.md"), ""), new_notebook(cells=[cell]))


# What HTML asks for


LOADED = {
    '<img src="https://a.example/b.png">': "https://a.example/b.png",
    '<img srcset="c.png 1x, //a.example/c.png 2x" src="c.png">': "//a.example/c.png",
    "<video poster='//a.example/d.png'></video>": "//a.example/d.png",
    "<audio><source src=https://a.example/e.ogg></audio>": "https://a.example/e.ogg",
    '<iframe src="https://a.example/f"></iframe>': "https://a.example/f",
    "<iframe srcdoc=\"<img src='https://a.example/g.png'>\"></iframe>": "https://a.example/g.png",
    '<link rel="stylesheet" href="https://a.example/h.css">': "https://a.example/h.css",
    "<style>p { background: url(https://a.example/i.png) }</style>": "https://a.example/i.png",
    "<style>@import 'https://a.example/j.css';</style>": "https://a.example/j.css",
    "<p style=\"background: url('https://a.example/k.png')\">": "https://a.example/k.png",
    '<script src="https://a.example/l"></script>': "https://a.example/l",
    '<script>import x from "https://a.example/m";</script>': "https://a.example/m",
    "<script>await import('https://a.example/n')</script>": "https://a.example/n",
    '<script>add({ src: "https://a.example/o.js" })</script>': "https://a.example/o.js",
    "<script>fetch(`https://a.example/p`)</script>": "https://a.example/p",
    '<script>base = "https://cdn.example.com/npm/q@6?noext"</script>': (
        "https://cdn.example.com/npm/q@6?noext"
    ),
    '<svg><image xlink:href="https://a.example/r.png" /></svg>': "https://a.example/r.png",
    '<object data="https://a.example/s.svg"></object>': "https://a.example/s.svg",
}


@pytest.mark.parametrize("html", LOADED)
def test_whatever_a_browser_would_load_from_another_host_is_found(html: str) -> None:
    found = [asked.address for asked in addresses.asked_by(html) if asked.loaded]
    assert [address for address in found if addresses.host_of(address)] == [LOADED[html]]


@pytest.mark.parametrize(
    "html",
    [
        '<a href="https://a.example/">a link</a>',
        '<svg xmlns="http://www.w3.org/2000/svg"></svg>',
        '<script>spec = {"$schema": "https://a.example/schema/v6.json"}</script>',
        f'<img src="{DATA}"><img src="a.png"><img src="mailto:a@a.example">',
        "<p>https://a.example/b.png</p>",
    ],
)
def test_what_a_browser_does_not_load_is_nobodys_concern(html: str) -> None:
    asked = addresses.asked_by(html)
    assert [one for one in asked if one.loaded and addresses.host_of(one.address)] == []


def test_an_address_is_found_in_its_line() -> None:
    (asked,) = addresses.asked_by('<p>\n</p>\n<img\nsrc="a.png">')
    assert asked.line == 2


# On a page


SHOWING = [
    'show({"application/vnd.plotly.v1+json": {"data": [{"x": "</script>"}], "layout": {}}})',
    "show({'text/html': '<script src=\"https://cdn.plot.ly/plotly-1.0.min.js\"></script>"
    '<p id="own"></p><script>Plotly.newPlot(document.getElementById("own"), [2])</script>\'})',
    'show({\'text/html\': \'<img id="beside" alt="A dot." src="pics/a dot.png">'
    '<a href="pics/a%20dot.png">It</a>\'})',
    f'show({{\'text/html\': \'<img id="inside" alt="A dot." src="{DATA}">'
    f'<audio controls src="{SOUND}"></audio>\'}})',
    "show({'text/html': '<iframe title=\"Inner\" srcdoc=\"<p></p>"
    "<script>document.body.append(7)</script>\"></iframe>'})",
    "show({'text/html': '<p id=\"styled\" style=\"color: rgb(1, 2, 3)\">Styled.</p>'})",
    "show({'application/javascript': 'element.append(40 + 2)'})",
    'show({"text/markdown": "| a |\\n|---|\\n| $x^2$ |"})',
    "show({'text/html': '<button onclick=\"this.textContent = 7\">Press</button>'})",
]
SHOW = "from IPython.display import display\n\nshow = lambda data: display(data, raw=True)"
PROSE = """# Prose

<img class="beside" alt="A dot." src="pics/a dot.png">

![Some dot](data:image/png;base64,{dot})

<a href="shown.html#shown">Shown</a>, <a href="pics/a dot.png" download>the dot</a>
"""
FOLDED = (
    HEAD
    + """```{margin}
A word in the margin.
```

```{code-cell} ipython3
:tags: [full-width, hide-output]
print(1)
```

```{code-cell} ipython3
---
tags: [hide-input]
mystnb:
  image:
    alt: A dot that its output leaves without words.
---
from IPython.display import HTML

HTML('<a href="#shown">A link</a><img src="pics/a dot.png">')
```

```{code-cell} ipython3
from IPython.display import Image

display(*(Image("pics/a dot.png", alt=words) for words in ("One dot.", "Another dot.")))
```

```{code-cell} ipython3
HTML("<table><tr><th></th><th>a</th></tr><tr><th>b</th><td>1</td></tr></table>")
```
"""
)
GLUED = """
```{code-cell} ipython3
---
mystnb: {image: {alt: The dot of a cell.}}
---
from myst_nb import glue

glue("dot", Image("pics/a dot.png"), display=False)
```

```{glue:} dot
```

A {glue:}`dot` in a line.

```{glue:figure} dot
:alt: The dot in a figure.
A dot.
```
"""
ELSEWHERE = "\n```{glue:} dot\n:doc: folded.md\n```\n"
SIZED = """## Sized

```{sidebar} A sidebar
Its text.
```

> A quotation beside it.

```{code-cell} ipython3
:tags: [margin]
print("beside")
```

```{code-cell} ipython3
:tags: [full-width]
print("across")
```

![As it is](<pics/a band.png>)

```{image} pics/a band.png
:alt: With a width.
:width: 300px
```

```{image} pics/a band.png
:alt: With a height.
:height: 60px
```

```{image} pics/a band.png
:alt: Scaled.
:scale: 50
```

<img src="pics/a band.png" alt="Of both sizes" width="600" height="200">

```{code-cell} ipython3
---
mystnb: {image: {alt: From a cell., width: 240px}}
---
from IPython.display import HTML, Image

Image("pics/a band.png")
```

```{code-cell} ipython3
import pandas as pd

pd.DataFrame({"rate": [0.125, -0.5], "steps": [4000, 16]}, index=["one", "two"])
```

```{code-cell} ipython3
HTML(pd.DataFrame({"rate": [0.125, -0.5], "steps": [4000, 16]}).to_html(index=False))
```

```{code-cell} ipython3
HTML("<table><caption>Named</caption><tr><th>a</th><th>b</th></tr><tr><td>1</td><td>2</td></tr>"
     "</table><pre><span style='color: #006000'>green</span> and black</pre>")
```

```{code-cell} ipython3
for number in (*range(30, 38), *(f"38;5;{number}" for number in range(0, 256, 15))):
    print(f"\\033[{number}mof {number}\\033[0m, \\033[1;{number}mbold\\033[0m")
for number in (*range(40, 48), *(f"48;5;{number}" for number in range(0, 256, 15))):
    print(f"\\033[{number}mon {number}\\033[0m")
```

```{code-cell} ipython3
from IPython.display import display

text = "\\033[33myellow\\033[0m < \\033[38;5;45mblue\\033[0m\\n"
rich = (
    '<pre style="white-space:pre"><span style="color: #808000">yellow</span> &lt; '
    '<span style="color: #00d7ff">blue</span>\\n</pre>'
)
display({"text/plain": text, "text/html": rich}, raw=True)
```
"""
FRAMED = """# Framed

<iframe title="A film" src="https://films.example.org/1"></iframe>
"""
# As an installer leaves a package with its script on board.
PACKAGE = {
    "plotly/__init__.py": "",
    "plotly/package_data/plotly.min.js": (
        "window.Plotly = { newPlot(tag, data) { tag.textContent = `drawn ${data.length}`; } };"
    ),
    "plotly-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: plotly\nVersion: 1.0\n",
}


@pytest.fixture(scope="module")
def rich(built_book: TinyBook, tmp_path_factory: pytest.TempPathFactory) -> TinyBook:
    """A book whose pages bring along whatever pages can."""
    book = TinyBook(tmp_path_factory.mktemp("rich") / "book", built_book.store)
    cells = [SHOW, *SHOWING]
    code = "\n\n".join(f"```{{code-cell}} ipython3\n{cell}\n```" for cell in cells)
    book.write("lessons/shown.md", f"{HEAD}{code}\n")
    book.write("lessons/prose.md", PROSE.format(dot=DOT) + ELSEWHERE)
    book.write("lessons/folded.md", FOLDED + GLUED)
    book.write("lessons/sized.md", HEAD + SIZED)
    book.write("book/framed.md", FRAMED)
    for name, text in PACKAGE.items():
        book.write(f"src/{name}", text)
    picture = book.path("lessons/pics/a dot.png")
    picture.parent.mkdir()
    picture.write_bytes(base64.b64decode(DOT))
    Image.new("RGB", (900, 300), "navy").save(picture.with_name("a band.png"))
    entry = "      - file: "
    names = ("lessons/shown", "lessons/prose", "lessons/folded", "lessons/sized", "framed")
    added = "".join(f"{entry}{name}\n" for name in names)
    book.replace("_toc.yml", f"{entry}claims", f"{added}{entry}claims")
    hosts = "    evergreen_hosts: [films.example.org]\n"
    book.replace("_config.yml", "    language: en\n", f"    language: en\n{hosts}")
    book.update()
    return book


def page(book: TinyBook, name: str) -> BeautifulSoup:
    return BeautifulSoup(book.read(f"_build/html/{name}.html"), "html.parser")


def policy(book: TinyBook, name: str) -> str:
    meta = page(book, name).select_one('meta[http-equiv="Content-Security-Policy"]')
    return str(meta["content"])


def test_files_that_html_names_are_part_of_the_site(rich: TinyBook) -> None:
    for name, selector in (("shown", "#beside"), ("shown", "a[href*=dot]"), ("prose", ".beside")):
        tag = page(rich, f"lessons/{name}").select_one(f"article {selector}")
        copy = rich.html / "lessons" / str(tag.get("src") or tag["href"]).replace("%20", " ")
        assert copy.read_bytes() == base64.b64decode(DOT)


def test_a_notebook_brings_the_files_that_its_outputs_name(rich: TinyBook) -> None:
    cells = read(rich.html / "notebooks" / "shown.ipynb", as_version=4).cells
    (looking,) = [cell.source for cell in cells if "pics/a dot.png" in cell.source][:1]
    assert "missing = [file for file in ['pics/a dot.png']" in looking


def test_a_page_may_ask_an_allowed_host_that_it_names_and_no_other_page_may(
    rich: TinyBook,
) -> None:
    assert "films.example.org" in policy(rich, "framed")
    for name in ("index", "lessons/shown", "lessons/prose", "search"):
        assert "example.org" not in policy(rich, name)


def test_only_a_page_with_a_library_may_compile_and_set_styles(rich: TinyBook) -> None:
    assert "unsafe" in policy(rich, "lessons/shown")
    for name in ("index", "lessons/prose", "lessons/walks"):
        assert "unsafe-eval" not in policy(rich, name)
        assert "unsafe-inline" not in policy(rich, name)


def test_what_an_output_draws_and_plays_is_on_its_page(rich: TinyBook, browser: Browser) -> None:
    with host(rich.html) as address, visit(browser, f"{address}lessons/shown.html") as shown:
        assert shown.locator(".plotly-graph-div").inner_text() == "drawn 1"
        assert shown.locator("#own").inner_text() == "drawn 1"
        for picture in ("#beside", "#inside"):
            drawn = shown.locator(picture)
            assert drawn.evaluate("tag => tag.decode().then(() => tag.naturalWidth)") == 1
        shown.wait_for_function("document.querySelector('audio').readyState > 0")
        assert shown.frame_locator("iframe").locator("body").inner_text().strip() == "7"
        colour = shown.locator("#styled").evaluate("tag => getComputedStyle(tag).color")
        assert colour == "rgb(1, 2, 3)"
        assert shown.get_by_text("42", exact=True).is_visible()
        assert shown.locator("table math msup").count() == 1
        shown.get_by_role("button", name="Press").click()
        assert shown.get_by_role("button", name="7").is_visible()


def test_everybody_reaches_what_is_folded_wide_and_in_the_margin(
    rich: TinyBook, browser: Browser
) -> None:
    pictures = page(rich, "lessons/folded").select(".cell_output img")
    assert [picture["alt"] for picture in pictures] == [
        "A dot that its output leaves without words.",
        "One dot.",
        "Another dot.",
    ]
    with host(rich.html) as address:
        seen = look_at(browser, f"{address}lessons/folded.html")
        assert seen.problems == []
        assert {shown: report for shown, report in seen.faults.items() if report} == {}
        with visit(browser, f"{address}lessons/folded.html", color_scheme="dark") as folded:
            frame = folded.locator("div.cell_input").first
            colour = frame.evaluate("tag => getComputedStyle(tag).borderTopColor")
            assert max(map(int, re.findall(r"\d+", colour))) < 128, "a light frame in the dark"


def test_a_picture_that_prose_takes_from_a_cell_has_the_cell_s_words(rich: TinyBook) -> None:
    glued = page(rich, "lessons/folded").select("article img[src]")[-3:]
    words = ["The dot of a cell.", "The dot of a cell.", "The dot in a figure."]
    assert [picture["alt"] for picture in glued] == words
    assert page(rich, "lessons/prose").select("article img")[-1]["alt"] == words[0]


@pytest.mark.parametrize("size", [PHONE, DESK])
def test_pictures_keep_their_shape_and_columns_their_distance(
    rich: TinyBook, browser: Browser, size: tuple[int, int]
) -> None:
    with host(rich.html) as address, visit(browser, f"{address}lessons/sized.html", size) as sized:
        shapes = sized.locator("article img").evaluate_all(
            "tags => tags.map(tag => [tag.alt, tag.offsetWidth / tag.offsetHeight])"
        )
        assert len(shapes) == 6
        assert {alt: shape for alt, shape in shapes if abs(shape - 3) > 0.1} == {}
        for table in sized.locator("article table").all():
            sides = table.locator("th, td").evaluate_all(
                "tags => tags.map(tag => parseFloat(getComputedStyle(tag).paddingLeft))"
            )
            assert min(sides) > 4
            column = table.locator("tr > :last-child:not(:empty)").evaluate_all(
                "tags => tags.map(tag => getComputedStyle(tag).textAlign)"
            )
            first = table.locator("tr > :first-child:not(:empty)").evaluate_all(
                "tags => tags.map(tag => getComputedStyle(tag).textAlign)"
            )
            assert len({*column}) == len({*first}) == 1, "a header that is not above its column"
        beside = sized.locator(".tag_margin .cell_output").bounding_box()
        across = sized.locator(".tag_full-width").bounding_box()
        assert beside["y"] + beside["height"] <= across["y"]


@pytest.mark.parametrize("size", [PHONE, DESK])
def test_a_sidebar_is_seen_beside_a_quotation(
    rich: TinyBook, browser: Browser, size: tuple[int, int]
) -> None:
    with host(rich.html) as address, visit(browser, f"{address}lessons/sized.html", size) as sized:
        sidebar = sized.locator("aside.sidebar")
        sidebar.scroll_into_view_if_needed()
        assert sidebar.evaluate(
            """tag => {
              const { left, top, width, height } = tag.getBoundingClientRect();
              return tag.contains(document.elementFromPoint(left + width / 2, top + height / 2));
            }"""
        )


def test_what_an_output_sets_is_legible_in_the_light_and_in_the_dark(
    rich: TinyBook, browser: Browser
) -> None:
    with host(rich.html) as address:
        seen = look_at(browser, f"{address}lessons/sized.html")
        assert {shown: report for shown, report in seen.faults.items() if report} == {}


def test_html_that_only_colours_a_terminal_s_text_is_shown_as_that(rich: TinyBook) -> None:
    shown = page(rich, "lessons/sized").select_one(".output pre:-soup-contains('< blue')")
    assert shown.text.strip() == "yellow < blue"
    assert [tag.text for tag in shown.select("span[class]")] == ["yellow", "blue"]


def test_a_page_brings_a_library_once(rich: TinyBook) -> None:
    assert len(page(rich, "lessons/shown").select('script[src*="plotly.min.js"]')) == 1


def test_a_library_is_in_the_site_as_long_as_a_page_needs_it(rich: TinyBook) -> None:
    library = rich.html / "_static" / "libraries" / "plotly-1.0" / "plotly.min.js"
    assert library.read_text("utf-8") == PACKAGE["plotly/package_data/plotly.min.js"]
    for cell in SHOWING[:2]:
        rich.replace("lessons/shown.md", cell, "0")
    rich.update()
    assert not library.parent.parent.exists()


@pytest.mark.parametrize(
    ("added", "said"),
    [
        ('<img src="pics/none.png">', "prose.md, line 13 names the file pics/none.png"),
        ("```{image} pics/a%20dot.png\n```", "prose.md, line 13 shows a picture without words"),
    ],
    ids=["missing", "without words"],
)
def test_what_prose_cannot_show_is_refused_by_file_and_line(
    rich: TinyBook, added: str, said: str
) -> None:
    prose = rich.read("lessons/prose.md")
    rich.write("lessons/prose.md", f"{prose}\n{added}\n")
    message = rich.refuse()
    rich.write("lessons/prose.md", prose)
    assert f"EmbeddedError: lessons/{said}" in message
    assert re.search(r"EmbeddedError: [^\n]+\n$", message)
