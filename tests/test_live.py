"""What pages compute in the reader's browser is what Keras and the package compute."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import nbformat
import numpy as np
import pytest
from bs4 import BeautifulSoup
from markdown_it import MarkdownIt
from playwright.sync_api import Browser, Locator, Page, Response, Route, expect
from support.browsing import (
    COLOUR,
    DESK,
    PHONE,
    PHONES,
    covered,
    look_with_axe,
    prefer,
    resize,
    visit,
)
from support.contents import NOTEBOOKS, PLACES
from website import Build, notebook_of, soup

from bnlab import arithmetic, catalogue, data, plain, portable, runs

Course = dict[str, list[runs.Run]]
LIMIT = 1.8 * 2**20
LOAD = re.compile("^Load the .* networks$")

pytestmark = pytest.mark.skipif("networks" not in PLACES, reason="No page has the networks.")

PREDICT = """async ([address, name, training]) => {
    const { load } = await import(`${address}_static/live/loading.js`);
    const { predict, scaled } = await import(`${address}_static/live/prediction.js`);
    const course = await load(new URL("_static/live/networks.json", address));
    const network = course.networks.find((network) => network.name === name);
    const pixels = new Uint8Array(await (await fetch(`${address}pixels`)).arrayBuffer());
    const images = Array.from({ length: pixels.length / 784 }, (_, index) =>
        scaled(pixels.subarray(784 * index, 784 * (index + 1))));
    // So many numbers are sooner sent as a text.
    return JSON.stringify(predict(network, images, training).map((row) => [...row]));
}"""


@contextmanager
def networks(
    browser: Browser, address: str, size: tuple[int, int] = DESK, *, plain: bool = True, **kind: str
) -> Iterator:
    """Open the page of the networks and load them, plainly with one garment in inference mode."""
    with visit(browser, f"{address}{PLACES['networks']}.html", size, **kind) as page:
        page.get_by_role("button", name=LOAD).click()
        page.get_by_role("table", name="The probability").wait_for()
        if plain:
            make_plain(page)
        yield page


def make_plain(page: Page) -> None:
    page.get_by_role("radio", name=re.compile("^Inference")).check()
    page.get_by_role("button", name="Take all out").click()
    page.locator("input[name='live-garment']").first.check()


@pytest.fixture(scope="module")
def loaded(browser: Browser, address: str) -> Iterator[Page]:
    with networks(browser, address) as page:
        yield page


@pytest.fixture
def page(loaded: Page) -> Page:
    """The page of the networks, as plain and as large as if it were loaded for this test alone."""
    resize(loaded, DESK)
    make_plain(loaded)
    loaded.get_by_label("Add", exact=True).select_option(index=0)
    loaded.get_by_label("Unit", exact=True).fill("1")
    loaded.get_by_role("button", name="As trained").click()
    # What has the focus already does not scroll to where it is seen.
    loaded.evaluate("document.activeElement.blur()")
    shown(loaded)
    return loaded


@pytest.fixture(scope="module")
def full(browser: Browser, address: str) -> Iterator[Page]:
    """The page of the networks with all on it that can be."""
    kind = {"bypass_csp": True, "reduced_motion": "reduce"}
    with networks(browser, address, **kind) as page:
        page.get_by_role("radio", name="Your drawing").check()
        page.get_by_label("Add", exact=True).select_option("one garment of each class")
        page.get_by_role("button", name="Add to the batch").click()
        page.locator("summary", has_text="test images").click()
        page.get_by_role("button", name="Show them").click()
        page.get_by_role("button", name=re.compile(r"^Unit \d+: ")).first.wait_for()
        page.get_by_text(re.compile("^1 to 30 of")).wait_for()
        page.get_by_role("button", name="Next 30").wait_for()
        shown(page)
        yield page


@pytest.fixture(scope="module")
def modules(browser: Browser, address: str) -> Iterator[Page]:
    """A page whose modules tests ask by themselves."""
    with visit(browser, f"{address}{PLACES['networks']}.html") as page:
        yield page


def predicted(
    page: Page, address: str, name: str, pixels: np.ndarray, *, training: bool = False
) -> np.ndarray:
    """Let the page's own modules predict images that the page does not have."""
    body = (255 * pixels).round().astype(np.uint8).tobytes()
    page.route(f"{address}pixels", lambda route: route.fulfill(body=body))
    found = page.evaluate(PREDICT, [address, name, training])
    page.unroute(f"{address}pixels")
    return np.array(json.loads(found))


def shown(page: Page) -> np.ndarray:
    """Return the table's percentages, a row a class and a column a network."""
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    rows = page.get_by_role("table", name="The probability").locator("tbody tr").all()
    texts = [row.locator("td").all_inner_texts() for row in rows]
    return np.array([[float(text[:-1]) for text in row] for row in texts])


def choose(page: Page, garment: str) -> None:
    begins = re.escape(garment).replace("/", r"\/")  # which would end a pattern in JavaScript
    page.get_by_role("radio", name=re.compile(f"^{begins}")).first.check()


# The same predictions


@pytest.mark.parametrize("name", catalogue.NETWORKS)
def test_the_browser_predicts_every_test_image_as_keras_does(
    modules: Page, address: str, course: Course, images: data.FashionMNIST, name: str
) -> None:
    ours = predicted(modules, address, name, images.test.pixels)
    keras = course[name][0].test_probabilities
    assert ours.shape == keras.shape == (10_000, 10)
    assert np.abs(ours - keras).max() < 1e-3


@pytest.mark.parametrize("size", [8, 32])
@pytest.mark.parametrize("name", catalogue.NETWORKS)
def test_the_browser_s_training_mode_is_keras_s(
    modules: Page,
    address: str,
    course: Course,
    images: data.FashionMNIST,
    name: str,
    size: int,
) -> None:
    batch = images.test.pixels[:size]
    ours = predicted(modules, address, name, batch, training=True)
    keras = course[name][0].model()(batch, training=True).numpy()
    assert np.abs(ours - keras).max() < 1e-3


# The page of the networks


def test_the_networks_are_loaded_only_when_asked_for_and_are_small(
    browser: Browser, address: str
) -> None:
    answers: dict[str, Response] = {}

    def loaded() -> dict[str, int]:
        return {
            path.rsplit("/", 1)[-1]: len(answer.body())
            for path, answer in answers.items()
            if "/_static/live/" in path and not path.endswith((".js", ".css"))
        }

    with browser.new_context() as context:
        page = context.new_page()
        page.on("response", lambda answer: answers.update({urlsplit(answer.url).path: answer}))
        page.goto(f"{address}{PLACES['networks']}.html", wait_until="networkidle")
        assert not loaded()
        page.get_by_role("button", name=LOAD).click()
        page.get_by_role("table", name="The probability").wait_for()
        page.wait_for_load_state("networkidle")
        sizes = loaded()
    assert sizes.keys() == {path.name for path in portable.first_files(portable.exported())}
    assert 1e6 < sum(sizes.values()) <= LIMIT


def test_the_page_begins_where_the_networks_differ(browser: Browser, address: str) -> None:
    with networks(browser, address, plain=False) as page:
        expect(page.get_by_role("radio", name=re.compile("^Training"))).to_be_checked()
        page.get_by_text("The image shown and 10 beside it.").wait_for()
        assert len(set(shown(page).argmax(axis=0))) > 1


def test_on_a_phone_the_answers_stay_in_sight_while_a_slider_is_turned(page: Page) -> None:
    resize(page, PHONE)
    slider = page.get_by_role("slider", name="Beta")
    slider.scroll_into_view_if_needed()
    page.mouse.wheel(0, 1)
    shown(page)
    table = page.get_by_role("table", name="The probability")
    expect(table).to_be_in_viewport(ratio=0.9)
    expect(slider).to_be_in_viewport(ratio=0.9)


def test_a_unit_shows_what_it_gets_and_gives_and_what_it_changes(
    page: Page, images: data.FashionMNIST
) -> None:
    name, number = "bn_approach_two", 7
    layers = portable.read(portable.exported())[name]
    place = max(at for at, one in enumerate(layers) if isinstance(one, plain.Normalization))
    page.get_by_label("Layer", exact=True).select_option(label="BN approach two, BN 100")
    page.get_by_label("Unit", exact=True).fill(str(number))
    first = page.locator("input[name='live-garment']").first
    garment = int(re.search(r"test image (\d+)", first.locator("..").inner_text())[1])
    values = images.test.pixels[[garment]].reshape(1, -1).astype(float)
    for layer in layers[:place]:
        values = plain.outputs(layer, values)
    gets = values[0, number - 1]
    gives = plain.outputs(layers[place], values)[0, number - 1]
    page.get_by_text(f"this unit gets {gets:.2f} and gives {gives:.2f}.").wait_for()
    slider = page.get_by_role("slider", name="Beta")
    slider.press("End")
    gives += 4 - layers[place].beta[number - 1]
    page.get_by_text(f"this unit gets {gets:.2f} and gives {gives:.2f}.").wait_for()
    page.get_by_text(re.compile("^BN approach two, as trained: .*%. Now: .*%.$")).wait_for()
    page.get_by_role("button", name="As trained").click()
    expect(page.locator(".live-before")).to_have_text(re.compile(r"^\s*$"))


def test_units_are_ordered_by_what_their_silence_changes(
    browser: Browser, address: str, images: data.FashionMNIST
) -> None:
    name = "bn_approach_two"
    network = portable.read(portable.exported())[name]
    place = max(at for at, one in enumerate(network) if isinstance(one, plain.Normalization))
    with networks(browser, address, plain=False) as page:
        page.get_by_label("Layer", exact=True).select_option(label="BN approach two, BN 100")
        page.get_by_label("Unit", exact=True).fill("7")
        names = [
            page.locator(".live-shown strong").inner_text(),
            *(one.get_attribute("aria-label") for one in page.locator("button.live-thumb").all()),
        ]
        batch = [int(re.search(r"test image (\d+)$", one)[1]) for one in names]
        shown(page)
        expect(page.locator(".live-order p")).to_contain_text("Unit 7 would move")
        first = page.get_by_role("button", name=re.compile(r"^Unit \d+: "))
        told = [one.inner_text() for one in first.all()]
        seventh = page.locator(".live-order p").inner_text()
        first.first.click()
        unit = page.get_by_label("Unit", exact=True)
        expect(unit).to_have_value(told[0].split()[1][:-1])
    pixels = images.test.pixels[batch]
    before = plain.predict(network, pixels, training=True)[0]
    layer = network[place]
    influence = []
    for unit in range(len(layer.gamma)):
        gamma = layer.gamma.copy()
        gamma[unit] = 0
        silent = [*network[:place], layer._replace(gamma=gamma), *network[place + 1 :]]
        influence.append(np.abs(plain.predict(silent, pixels, training=True)[0] - before).max())
    order = np.argsort(-np.array(influence), kind="stable")
    assert told == [
        f"Unit {unit + 1}: {100 * influence[unit]:.1f} points" for unit in order[: len(told)]
    ]
    rank = order.tolist().index(6) + 1
    assert f"by {100 * influence[6]:.1f} points: place {rank} of 100." in seventh


# All test images


def test_every_test_image_can_be_chosen_and_is_loaded_when_asked_for(
    browser: Browser, address: str, course: Course, images: data.FashionMNIST
) -> None:
    of_page = [course[name][0] for name in catalogue.NETWORKS]
    labels = images.test.labels
    answers = np.stack([run.test_predictions for run in of_page])
    right = (answers == labels).all(axis=0)
    loaded: set[str] = set()
    with networks(browser, address) as page:
        page.on("request", lambda request: loaded.add(urlsplit(request.url).path))
        page.locator("summary", has_text="All 10,000 test images").click()
        garments = page.get_by_label("Garments", exact=True)
        offered = garments.locator("option").all_inner_texts()
        counts = [int(re.search(r"\(([\d,]+), ", one)[1].replace(",", "")) for one in offered]
        disputed = int((np.ptp(answers, axis=0) > 0).sum())
        assert counts == [disputed, *np.bincount(labels).tolist()]
        assert not loaded
        coat = data.CLASSES.index("Coat")
        garments.select_option(label=offered[1 + coat])
        with page.expect_response("**") as answer:
            page.get_by_role("button", name="Show them").click()
        assert f"{len(answer.value.body()) / 2**20:.1f} MiB" in offered[1 + coat]
        status = page.locator(".live-details > [role=status]")
        expect(status).to_have_text(f"1 to 30 of {counts[1 + coat]:,}.")
        page.get_by_label("Answers", exact=True).select_option(label="All three are right")
        wanted = np.flatnonzero(right & (labels == coat))
        seen: list[int] = []
        later = page.get_by_role("button", name="Next 30")
        thumbs = page.locator(".live-details .live-thumb")
        while True:
            expect(status).to_have_text(
                re.compile(f"^{len(seen) + 1:,} to .* of {len(wanted):,}.$")
            )
            texts = thumbs.all_inner_texts()
            seen += [int(re.search(r"test image (\d+)", text)[1]) for text in texts]
            if later.is_disabled():
                break
            later.press("Enter")
        assert sorted(seen) == wanted.tolist()
        previous = page.get_by_role("button", name="Previous 30")
        expect(previous).to_be_focused()
        thumbs.last.locator("input").check()
        page.get_by_text("in inference mode. Baseline: Coat. BN approach one: Coat.").wait_for()
        expected = np.stack([run.test_probabilities[seen[-1]] for run in of_page], axis=1)
        assert np.abs(shown(page) / 100 - expected).max() < 0.0005 + 1e-3
        assert len(loaded) == 1


def test_the_table_shows_keras_s_probabilities_for_each_garment(page: Page, course: Course) -> None:
    of_page = [course[name][0] for name in catalogue.NETWORKS]
    labels = data.load().test.labels
    for place in portable.garments(of_page):
        choose(page, f"{data.CLASSES[labels[place]]}, test image {place}")
        expected = np.stack([run.test_probabilities[place] for run in of_page], axis=1)
        assert np.abs(shown(page) / 100 - expected).max() < 0.0005 + 1e-3
        marked = page.locator(".live-table tbody th", has_text="✓").inner_text()
        assert marked == f"{data.CLASSES[labels[place]]} ✓"


def test_in_training_mode_a_garment_is_judged_beside_its_neighbours(
    page: Page, course: Course, images: data.FashionMNIST
) -> None:
    of_page = [course[name][0] for name in catalogue.NETWORKS]
    labels = images.test.labels
    strip = portable.garments(of_page)
    first = [next(p for p in strip if labels[p] == label) for label in range(10)]
    alone: list[np.ndarray] = []
    before = shown(page)
    page.get_by_label("Add", exact=True).select_option("one garment of each class")
    page.get_by_role("button", name="Add to the batch").click()
    assert (shown(page) == before).all(), "neighbours count in inference mode"
    page.get_by_role("radio", name=re.compile("^Training")).check()
    for garment in ("Shirt", "Bag"):
        choose(page, garment)
        place = next(p for p in strip if data.CLASSES[labels[p]] == garment)
        batch = images.test.pixels[[place, *first]]
        expected = [run.model()(batch, training=True).numpy()[0] for run in of_page]
        assert np.abs(shown(page) / 100 - np.stack(expected, axis=1)).max() < 0.0005 + 1e-3
    expect(page.get_by_role("button", name=re.compile("^Take out"))).to_have_count(10)
    page.get_by_role("button", name="Take all out").click()
    for garment in ("Shirt", "Bag"):
        choose(page, garment)
        alone.append(shown(page))
    normalized = [network.normalization != "none" for network in catalogue.NETWORKS.values()]
    same = (alone[0] == alone[1]).all(axis=0)
    assert same.tolist() == normalized, "alone, a garment is its own mean"


def test_a_neighbour_can_be_taken_out_and_the_focus_stays_in_the_batch(page: Page) -> None:
    page.get_by_label("Add", exact=True).select_option("class Sneaker")
    page.get_by_role("button", name="Add to the batch").click()
    thumbs = page.get_by_role("button", name=re.compile("^Take out Sneaker"))
    shown(page)
    count = thumbs.count()
    assert count >= 2
    thumbs.first.press("Enter")
    expect(thumbs).to_have_count(count - 1)
    expect(thumbs.first).to_be_focused()


def test_a_full_batch_says_so_and_grows_no_more(page: Page) -> None:
    for _ in range(7):
        expect(page.get_by_text("The batch is full")).to_have_count(0)
        page.get_by_role("button", name="Add to the batch").click()
        shown(page)
    page.get_by_text("The image shown and 63 beside it.").wait_for()
    expect(page.get_by_text("The batch is full")).to_have_count(1)
    expect(page.get_by_role("button", name=re.compile("^Take out"))).to_have_count(63)


def test_a_unit_s_gamma_and_beta_change_one_network_and_come_back(page: Page) -> None:
    before = shown(page)
    page.get_by_label("Layer", exact=True).select_option(label="BN approach two, BN 100")
    for unit in range(1, 6):
        page.get_by_label("Unit", exact=True).fill(str(unit))
        page.get_by_role("slider", name="Beta").press("End")
        after = shown(page)
        assert (after[:, :2] == before[:, :2]).all()
        assert (after[:, 2] != before[:, 2]).any()
        page.get_by_role("button", name="As trained").click()
        assert (shown(page) == before).all()
    page.get_by_label("Unit", exact=True).fill("101")
    page.get_by_text("a whole number from 1 to 100, not 101").wait_for()
    expect(page.get_by_role("slider", name="Gamma")).to_be_disabled()


def test_a_drawing_by_pointer_is_judged_at_once(page: Page) -> None:
    page.get_by_role("radio", name="Your drawing").check()
    canvas = page.get_by_role("application")
    empty = shown(page)
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 60, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + 160, box["y"] + 190, steps=5)
    page.mouse.up()
    drawn = shown(page)
    assert (drawn != empty).any()
    page.get_by_role("button", name="Clear the drawing").click()
    assert (shown(page) == empty).all()
    choose(page, "Trouser")
    garment = shown(page)
    page.get_by_role("radio", name="Your drawing").check()
    page.get_by_role("button", name="Copy the last garment").click()
    assert (shown(page) == garment).all()


def tab_to(page: Page, control: Locator) -> None:
    """Press Tab until a control has the focus, and see that it shows."""
    tag = control.element_handle()
    for _ in range(200):
        page.keyboard.press("Tab")
        if tag.evaluate("tag => tag === document.activeElement"):
            break
    else:
        pytest.fail(f"The keyboard does not reach {control}.")
    assert control.evaluate(
        """tag => [tag, tag.parentElement].some(part =>
            !["none", ""].includes(getComputedStyle(part).outlineStyle))"""
    )


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_the_keyboard_alone_does_everything(
    browser: Browser, address: str, size: tuple[int, int]
) -> None:
    with visit(browser, f"{address}{PLACES['networks']}.html", size) as page:
        tab_to(page, page.get_by_role("button", name=LOAD))
        page.keyboard.press("Enter")
        page.get_by_role("table", name="The probability").wait_for()
        chosen = page.locator("input[name='live-garment']:checked")
        expect(chosen).to_be_focused()
        make_plain(page)
        seen = [shown(page)]

        def changes() -> None:
            seen.append(shown(page))
            assert (seen[-1] != seen[-2]).any()

        garments = page.locator("input[name='live-garment']")
        garments.first.focus()
        page.keyboard.press("ArrowRight")
        changes()
        page.keyboard.press("ArrowLeft")
        changes()
        page.keyboard.press("ArrowLeft")  # round to the drawing
        changes()
        tab_to(page, page.get_by_role("application"))
        page.keyboard.press(" ")
        changes()
        page.keyboard.press("Shift+ArrowDown")
        changes()
        page.keyboard.press("ArrowUp")
        page.keyboard.press("Backspace")
        changes()
        tab_to(page, page.get_by_role("button", name="Copy the last garment"))
        page.keyboard.press("Enter")
        changes()
        tab_to(page, page.locator("input[name='live-mode']").first)
        page.keyboard.press("ArrowDown")
        changes()
        offer = page.get_by_label("Add", exact=True)
        tab_to(page, offer)
        page.keyboard.press("ArrowDown")
        expect(offer).to_have_value("the image shown")
        page.keyboard.press("ArrowUp")
        expect(offer).to_have_value("one garment of each class")
        tab_to(page, page.get_by_role("button", name="Add to the batch"))
        page.keyboard.press("Enter")
        changes()
        for name, key in (("Gamma", "Home"), ("Beta", "End")):
            tab_to(page, page.get_by_role("slider", name=name))
            page.keyboard.press(key)
        changes()
        tab_to(page, page.get_by_role("button", name="As trained"))
        page.keyboard.press("Enter")
        changes()


@pytest.mark.parametrize("size", [PHONE, PHONE[::-1]], ids=["upright", "on its side"])
def test_the_answers_do_not_cover_what_has_the_focus(page: Page, size: tuple[int, int]) -> None:
    resize(page, size)
    # The units below get new buttons when they are in their order.
    expect(page.locator(".live-order")).to_contain_text("these units would move")
    page.get_by_role("button", name="As trained").focus()
    assert covered(page) == []


def test_the_answer_is_announced(page: Page, course: Course) -> None:
    page.get_by_role("radio", name=re.compile("^Training")).check()
    choose(page, "Bag")
    titles = "".join(rf".*{catalogue.find(name).title}: .+, \d+\.\d%\." for name in course)
    sentence = re.compile(rf"Bag, test image \d+, training mode, a batch of 1\.{titles}")
    expect(page.get_by_role("status").filter(has_text=sentence)).to_have_count(1)


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_axe_finds_nothing_on_the_loaded_page_light_or_dark(
    full: Page, size: tuple[int, int]
) -> None:
    resize(full, size)
    prefer(full, "light")
    look_with_axe(full)
    prefer(full, "dark")
    look_with_axe(full, runOnly=COLOUR)


@pytest.mark.parametrize("width", PHONES)
def test_the_loaded_page_does_not_scroll_sideways(full: Page, width: int) -> None:
    resize(full, (width, 800))
    small = full.locator(
        ".live :is(.live-button, .live-segment, .live-thumb, select, input[type=number],"
        " input[type=range], summary)"
    ).evaluate_all(
        """tags => tags.filter(tag => tag.checkVisibility()
            && tag.getBoundingClientRect().height < 43.9).map(tag => tag.outerHTML)"""
    )
    assert small == []
    inside = full.locator(".live").evaluate(
        """place => [...place.querySelectorAll("select, button")].every(tag =>
            tag.getBoundingClientRect().right <= place.getBoundingClientRect().right)"""
    )
    assert inside
    assert full.evaluate("document.documentElement.scrollWidth") <= width
    assert full.locator(".live-table").evaluate("tag => tag.scrollWidth <= tag.clientWidth")


FAILURES: dict[str, Callable[[Route], None]] = {
    "The server answered 503": lambda route: route.fulfill(status=503),
    "The server cannot be reached": lambda route: route.abort(),
}


def test_a_failed_loading_says_so_and_can_be_tried_again(browser: Browser, address: str) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(f"{address}{PLACES['networks']}.html")
        load = page.get_by_role("button", name=LOAD)
        for words, failure in FAILURES.items():
            page.route("**/baseline.bin*", failure)
            load.press("Enter")
            page.get_by_text(words).wait_for()
            page.unroute("**/baseline.bin*")
            load = page.get_by_role("button", name="Load them once more")
        load.press("Enter")
        page.get_by_role("table", name="The probability").wait_for()


@pytest.fixture(scope="module")
def without_javascript(browser: Browser) -> Iterator[Page]:
    with browser.new_context(java_script_enabled=False) as context:
        yield context.new_page()


@pytest.mark.parametrize("place", PLACES)
def test_without_javascript_a_place_says_what_is_missing(
    without_javascript: Page, address: str, place: str
) -> None:
    without_javascript.goto(f"{address}{PLACES[place]}.html")
    expect(without_javascript.locator(f"[data-live='{place}'] p").first).to_be_visible()


@pytest.mark.parametrize("place", [place for place in PLACES if PLACES[place] in NOTEBOOKS])
def test_in_a_notebook_the_same_words_stand_in_a_place(site: Build, place: str) -> None:
    page = soup(site.html / f"{PLACES[place]}.html")
    words = page.select_one(f"[data-live='{place}'] p").get_text()
    notebook = nbformat.read(notebook_of(site, PLACES[place]), as_version=4)
    prose = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    assert words in BeautifulSoup(MarkdownIt().render(prose), "html.parser").get_text()
    assert not re.search(r"<(div|script|input)|data-live", prose)


@pytest.mark.skipif("calculator" not in PLACES, reason="No page has the calculator.")
def test_a_page_s_calculator_counts_the_course_s_networks(browser: Browser, address: str) -> None:
    counted = (arithmetic.totals(arithmetic.count(name)) for name in catalogue.NETWORKS)
    with visit(browser, f"{address}{PLACES['calculator']}.html") as page:
        totals = page.locator(".live tr", has_text="Total").locator("td")
        expect(totals).to_have_text([f"{total.total:,}" for total in counted])
