"""The pages as readers get them: light, private, whole, and within everybody's reach."""

from __future__ import annotations

import io
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import urljoin

import pytest
from bs4 import BeautifulSoup
from fontTools.ttLib import TTFont
from PIL import Image
from playwright.sync_api import Browser, expect
from pypdf import PdfReader
from support.browsing import DESK, PHONE, look_with_axe, visit
from support.contents import LESSONS, PAGES
from website import ROOT, Build, pages, parsed

from evergreen.look import fonts, stylesheet

pytestmark = pytest.mark.site

STATIC = Path("_static/site")


# Weight


def test_every_picture_has_its_size_and_waits_for_its_turn(site: Build) -> None:
    for path in pages(site):
        for picture in parsed(path).select("article img"):
            assert int(picture["width"]) > 0
            assert int(picture["height"]) > 0
            assert picture["loading"] == "lazy"


def test_a_style_sheet_keeps_what_can_apply_and_nothing_else() -> None:
    css = """
        @charset "UTF-8";
        :root { --used: 1px; --through: var(--used); --unused: 2px }
        .there, .not-there > b { width: var(--through) }
        .not-there { color: red }
        #there:hover::before, .there:not(.not-there) { content: "\\f0c9" }
        .there:is(.not-there, [open]) { animation: spin 1s }
        .made-by-script { color: blue !important }
        @media print { .not-there { color: red } }
        @media print { p { color: red } }
        @keyframes spin { to { rotate: 1turn } }
        @keyframes idle { to { rotate: 1turn } }
    """
    page = '<p class="there" id="there" open>not-there</p>'
    known = stylesheet.names([page], ['add("made-by-script")'])
    rules = stylesheet.purged(css, known)
    assert [str(rule).strip() for rule in rules] == [
        ":root{--used:1px;--through:var(--used);}",
        ".there{width:var(--through);}",
        '#there:hover::before,.there:not(.not-there){content:"\uf0c9";}',
        ".there:is(.not-there, [open]){animation:spin 1s;}",
        ".made-by-script{color:blue!important;}",
        "@media print{p{color:red;}\n}",
        "@keyframes spin{to{rotate:1turn;}\n}",
    ]
    assert stylesheet.content(rules) == {"\uf0c9"}


def test_every_icon_is_in_the_font_that_is_shipped(
    browser: Browser, address: str, site: Build
) -> None:
    shipped: set[int] = set()
    for font in (site.html / STATIC).glob("fa-*.woff"):
        shipped |= TTFont(font).getBestCmap().keys()
    for name in ("index", "lessons/baseline", "search"):
        with visit(browser, f"{address}{name}.html") as page:
            page.evaluate("document.fonts.ready.then(() => null)")
            shown = page.locator('[class*="fa-"]').evaluate_all(
                "icons => icons.map(icon => getComputedStyle(icon, '::before').content)"
            )
            assert len(shown) >= 8
            for content in shown:
                assert len(content) == 3, "an icon without a character"
                assert ord(content[1]) in shipped
            assert (
                page.evaluate(
                    "document.fonts.ready.then(() => [...document.fonts].filter("
                    "font => font.family.includes('Awesome') && font.status === 'error').length)"
                )
                == 0
            )


def test_every_formula_is_drawn_with_the_font_that_is_shipped(
    browser: Browser, address: str, site: Build
) -> None:
    file = site.html / STATIC / "stix-two-math.woff"
    assert fonts.is_for_formulas(file)
    shipped = TTFont(file).getBestCmap().keys()
    formulas = [math for path in pages(site) for math in parsed(path).find_all("math")]
    assert formulas
    for formula in formulas:
        text = re.sub(r"\s", "", formula.get_text())
        assert {ord(character) for character in fonts.drawn(text)} <= shipped, text
    assert ord("√") in shipped
    with visit(browser, f"{address}lessons/bn_approach_one.html") as page:
        assert page.evaluate(
            "document.fonts.ready.then(() => document.fonts.check('16px \"STIX Two Math\"', 'x'))"
        )


# Privacy


def test_the_policy_of_every_page_is_this_site_alone(site: Build) -> None:
    for path in pages(site):
        policy = parsed(path).select_one('head > meta[http-equiv="Content-Security-Policy"]')
        assert "default-src 'self'" in policy["content"], path
        assert not re.search(r"unsafe-inline|unsafe-eval|https?:|\*", policy["content"]), path


def test_a_browser_finds_the_encoding_where_it_looks_for_it(site: Build) -> None:
    for path in pages(site):
        assert b'<meta charset="utf-8"' in path.read_bytes()[:1024], path.name


def test_the_policy_stops_a_strange_script_and_another_host(browser: Browser, address: str) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(f"{address}index.html")
        page.evaluate(
            """() => {
                const script = document.createElement("script");
                script.textContent = "window.strange = true";
                document.head.append(script);
            }"""
        )
        assert page.evaluate("window.strange") is None
        elsewhere = address.replace("127.0.0.1", "localhost")
        outcome = page.evaluate(
            "address => fetch(address).then(() => 'answered', () => 'refused')", elsewhere
        )
        assert outcome == "refused"


# What the theme offers works


def test_menus_tooltips_and_copy_buttons_work(browser: Browser, address: str) -> None:
    with visit(browser, f"{address}lessons/baseline.html") as page:
        button = page.locator(".dropdown-toggle").first
        menu = page.locator(".dropdown-menu").first
        expect(menu).to_be_hidden()
        button.click()
        menu.wait_for(state="visible")
        page.keyboard.press("Escape")
        page.mouse.move(600, 600)  # the menu stays while the pointer is over it
        menu.wait_for(state="hidden")
        page.locator(".btn-fullscreen-button").hover()
        page.locator(".tooltip").wait_for()
        code = page.locator("div.highlight").first
        code.hover()
        code.locator("button.copybtn").click()
        page.locator("button.copybtn.success").wait_for()
        sidebar = page.locator("#pst-primary-sidebar")
        expect(sidebar).to_be_visible()
        page.locator(".primary-toggle").click()
        sidebar.wait_for(state="hidden")


def test_the_sidebars_open_on_a_phone(browser: Browser, address: str) -> None:
    with visit(browser, f"{address}lessons/baseline.html", PHONE) as page:
        for side in ("primary", "secondary"):
            page.locator(f".{side}-toggle").click()
            page.locator(f"#pst-{side}-sidebar-modal").wait_for(state="visible")
            page.keyboard.press("Escape")
            page.locator(f"#pst-{side}-sidebar-modal").wait_for(state="hidden")


@pytest.mark.parametrize(
    ("words", "found"),
    [("batch_orders", "machinery.html"), ("moving average", "lessons/bn_approach_one.html")],
)
def test_the_search_finds_names_of_code_and_prose(
    browser: Browser, address: str, words: str, found: str
) -> None:
    with visit(browser, f"{address}lessons/baseline.html") as page:
        page.keyboard.press("Control+k")
        page.locator("#pst-search-dialog input").fill(words)
        page.keyboard.press("Enter")
        page.wait_for_url("**/search.html*")
        page.locator(f'#search-results a[href*="{found}"]').first.wait_for()
        page.wait_for_load_state("networkidle")


# Within everybody's reach


def test_axe_finds_nothing_in_the_sidebars_and_the_search_of_a_phone(
    browser: Browser, address: str
) -> None:
    kind = {"bypass_csp": True, "reduced_motion": "reduce"}
    with visit(browser, f"{address}lessons/baseline.html", PHONE, **kind) as page:
        for opener, dialog in (
            (".primary-toggle", "#pst-primary-sidebar-modal"),
            (".secondary-toggle", "#pst-secondary-sidebar-modal"),
            (".search-button:visible", "#pst-search-dialog"),
        ):
            page.locator(opener).first.click()
            page.locator(dialog).wait_for(state="visible")
            look_with_axe(page)
            page.keyboard.press("Escape")
            page.locator(dialog).wait_for(state="hidden")


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_the_keyboard_reaches_everything_and_shows_where_it_is(
    browser: Browser, address: str, size: tuple[int, int]
) -> None:
    with visit(browser, f"{address}lessons/baseline.html", size, reduced_motion="reduce") as page:
        page.wait_for_load_state("networkidle")
        wanted = page.evaluate(
            """() => {
                const reachable = "a[href], button, input, summary, [tabindex='0']";
                const all = [...document.querySelectorAll(reachable)].filter(
                    tag => tag.tabIndex >= 0 && !tag.disabled
                        && tag.checkVisibility({visibilityProperty: true, opacityProperty: false})
                );
                all.forEach((tag, index) => { tag.dataset.stop = index; });
                return all.length;
            }"""
        )
        assert wanted > 40
        reached = set()
        for _ in range(wanted + 5):
            page.keyboard.press("Tab")
            stop, shown = page.evaluate(
                """() => {
                    const tag = document.activeElement;
                    const style = getComputedStyle(tag);
                    const shown = style.outlineStyle !== "none" && style.outlineWidth !== "0px";
                    return [tag.dataset.stop, shown || style.boxShadow !== "none"];
                }"""
            )
            if stop is not None:
                reached.add(int(stop))
                assert shown, page.evaluate("document.activeElement.outerHTML")
        missed = set(range(wanted)) - reached
        assert not missed, page.evaluate(
            "stops => stops.map(stop => document.querySelector("
            "`[data-stop='${stop}']`).outerHTML.slice(0, 200))",
            sorted(missed),
        )


def test_who_wants_less_motion_sees_none(browser: Browser, address: str) -> None:
    with visit(browser, f"{address}lessons/baseline.html", reduced_motion="reduce") as page:
        moving = page.evaluate(
            """() => [...document.querySelectorAll("*")].filter(tag => {
                const style = getComputedStyle(tag);
                return /[1-9]/.test(style.transitionDuration + style.animationDuration);
            }).length"""
        )
        assert moving == 0


# Worth reading


def unfolded(page: BeautifulSoup) -> list[str]:
    """Return the lines of code that a page shows before its reader unfolds any."""
    blocks = page.select("article div.highlight-ipython3 pre, article div.highlight-python pre")
    code = [block.get_text() for block in blocks if not block.find_parent("details")]
    return [line for block in code for line in block.strip("\n").splitlines()]


def test_no_visible_line_of_code_computes_a_claim(site: Build) -> None:
    cells = [cell for path in pages(site) for cell in parsed(path).select("div.cell:has(p.claim)")]
    assert cells
    for cell in cells:
        for code in cell.select("div.cell_input"):
            assert code.find_parent("details"), cell.select_one("p.claim").get_text()


def test_a_lesson_shows_a_hundred_lines_of_code_on_average(site: Build) -> None:
    shown = {name: len(unfolded(parsed(site.html / f"{name}.html"))) for name in LESSONS}
    assert sum(shown.values()) <= 100 * len(shown), shown


# Found, shared, lost and printed


def test_every_page_has_a_title_and_a_description_of_its_own(site: Build) -> None:
    seen = set()
    for path in pages(site):
        head = parsed(path).head
        seen.add(head.title.get_text())
        seen.add(head.select_one('meta[name="description"]')["content"])
        assert 30 <= len(head.select_one('meta[name="description"]')["content"]) <= 160
    assert len(seen) == 2 * len(pages(site))


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_lessons_card_shows_its_first_figure(site: Build, lesson: str) -> None:
    path = site.html / f"{lesson}.html"
    page = parsed(path)
    # With the site's address, where that is known.
    address = page.select_one('meta[property="og:image"]')["content"]
    card = site.html / address[address.index("_static/") :]
    first = page.select_one("article img")
    assert card.stem.startswith(Path(first["src"]).stem)
    alt = page.select_one('meta[property="og:image:alt"]')["content"]
    assert alt.strip() == first["alt"].strip()
    with Image.open(card) as picture:
        assert picture.size == (1200, 630)
        assert len(picture.convert("RGB").getcolors(maxcolors=1 << 20)) > 50


def test_the_page_for_a_wrong_address_is_whole_at_any_depth(browser: Browser, address: str) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        failed: list[str] = []
        page.on("response", lambda response: response.ok or failed.append(response.url))
        for wrong in ("missing.html", "lessons/missing.html", "a/b/c/missing"):
            failed.clear()
            page.goto(urljoin(address, wrong), wait_until="networkidle")
            assert failed == [urljoin(address, wrong)]
            expect(page.locator("h1:visible")).to_have_text("There is no such page")
        page.get_by_role("link", name="the first page").click()
        expect(page).to_have_url(f"{address}index.html")


def test_the_whole_course_is_one_pdf_with_outline_and_page_numbers(
    browser: Browser, site: Build, tmp_path: Path
) -> None:
    file = tmp_path / "course.pdf"
    command = [sys.executable, ROOT / "tools" / "pdf.py", site.html, file]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    pdf = PdfReader(io.BytesIO(file.read_bytes()))
    chapters = [entry.title for entry in pdf.outline if not isinstance(entry, list)]
    titles = [
        re.sub(r"#$", "", parsed(site.html / f"{name}.html").select_one("article h1").get_text())
        for name in PAGES
    ]
    assert chapters == titles
    for number in (1, len(pdf.pages)):
        assert f"{number} / {len(pdf.pages)}" in pdf.pages[number - 1].extract_text()
    links = [
        note.get_object()
        for page in pdf.pages
        for note in page.get("/Annots", [])
        if note.get_object().get("/Subtype") == "/Link"
    ]
    assert sum("/Dest" in link for link in links) > 50
