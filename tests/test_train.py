"""The page where readers train networks themselves, in a real browser."""

from __future__ import annotations

import base64
import dataclasses
import itertools
import json
import re
import shutil
import subprocess
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import keras
import numpy as np
import pytest
from playwright.sync_api import Browser, Page, Response, Route, expect
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from support import firefox
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
from support.contents import FILES, LESSONS, PLACES
from website import ROOT, Build, notebook_of

from bnlab import catalogue, data, parts, recipes
from bnlab.site import live
from bnlab.training import variants
from evergreen.look.places import Live

pytestmark = pytest.mark.skipif("train" not in PLACES, reason="No page has the training.")

LIVE = ROOT / "book" / "_static" / "live"
SCRIPTS = 120 * 1024
"""Bytes that the training's own scripts may have."""

WEIGHT = 350 * 1024
"""Bytes that the page may have before anything is asked for."""

SHORT = "images=5000&epochs=1&batch=256&hidden=30-10"
SHORTEST = "images=5000&epochs=1&batch=1024&hidden=30-10"
"""Five steps, where it is not asked what they lead to."""

BEGUN = re.compile(r"^step [1-9]")
ENDED = re.compile("^Ended")


@contextmanager
def laboratory(
    browser: Browser, address: str, state: str = "", size: tuple[int, int] = DESK, **kind: Any
) -> Iterator[Page]:
    """Open the page of the training, with or without a state in its address."""
    link = f"{address}{PLACES['train']}.html" + (f"#{state}" if state else "")
    with visit(browser, link, size, **kind) as page:
        if not state:
            page.get_by_role("button", name="Choose first").click()
        # What the networks are drawn with is drawn before the words at them.
        page.locator(".live-progress", has_text="step").first.wait_for()
        yield page


def train(page: Page) -> None:
    page.get_by_role("button", name="Train", exact=True).click()


def ended(page: Page) -> str:
    """Wait for the end of a training, and for the picture of it; return what is said of it."""
    status = page.locator(".live-status", has_text=ENDED)
    status.wait_for(timeout=120_000)
    page.wait_for_function(
        r"""() => [...document.querySelectorAll(".live-progress")].every(
            ({ textContent }) => /^step ([\d,]+) of \1( |$)|diverged/.test(textContent))"""
    )
    return status.inner_text()


def pause(page: Page) -> None:
    """Pause, and wait until every network has told how far it came."""
    page.get_by_role("button", name="Pause").click()
    page.locator(".live-status", has_text="Paused.").wait_for()
    expect(page.locator(".live-progress", has_text="left")).to_have_count(0)


@pytest.fixture(scope="module")
def trained(browser: Browser, address: str) -> Iterator[Page]:
    """The course's networks trained and all details open, for each test to see at its size."""
    kind = {"bypass_csp": True, "reduced_motion": "reduce"}
    with laboratory(browser, address, SHORTEST, **kind) as page:
        train(page)
        ended(page)
        open_details(page)
        yield page


@pytest.fixture(scope="module")
def diverged(browser: Browser, address: str) -> Iterator[Page]:
    """A network that diverges, and one that trains to the end, on a phone."""
    state = f"{SHORT}&network=baseline,rate=3,scale=10&network=bn_approach_two"
    with laboratory(browser, address, state, PHONE) as page:
        train(page)
        ended(page)
        yield page


def open_details(page: Page) -> None:
    """Open all that is folded, and wait for what is drawn only then."""
    for summary in page.locator(".live-details > summary").all():
        summary.click()
    page.get_by_role("table", name="Now").wait_for()


def cards(page: Page) -> list[str]:
    return page.locator(".live-networks > li .live-network").all_inner_texts()


def steps(page: Page) -> list[int]:
    texts = page.locator(".live-progress").all_inner_texts()
    return [int(re.search(r"step ([\d,]+) of", text)[1].replace(",", "")) for text in texts]


def shown(page: Page, name: str) -> str:
    """Return what a chart shows, as the address of a picture."""
    return page.get_by_role("img", name=re.compile(f"^{name}")).evaluate(
        "chart => chart.toDataURL()"
    )


def in_node(code: str, given: str = "") -> Any:
    """Return what JavaScript prints as JSON, which finds the page's modules in its folder."""
    command = ["node", "--input-type=module", "--eval", code]
    done = subprocess.run(
        command, cwd=LIVE, input=given, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def offered() -> dict[str, dict[str, Any]]:
    """Return the course's networks as the page gets them, by name."""
    described = json.loads(live.train("")["data-course"])
    return {one["name"]: {**one["recipe"], "network": one["name"]} for one in described}


# What is chosen, and the address


def test_an_address_says_what_is_chosen_and_nothing_else(node: None) -> None:
    addresses = [
        "images=5000&epochs=20&network=baseline&network=bn_approach_one&network=bn_approach_two",
        "images=10000&epochs=3&rate=0.1&network=baseline&network=baseline,pixels=standardized",
        "images=55000&epochs=10&pause=400&network=bn_approach_two,hidden=50-50,batch=8,order=same",
        "images=5000&epochs=20&seed=4294967295&network=baseline&network=baseline",
    ]
    code = f"""
        import {{ format, parse }} from "./recipe.js";
        const course = {json.dumps(offered())};
        const again = {json.dumps(addresses)}.map((address) => {{
            const {{ state, complaints }} = parse(address, course);
            return [format(state, course), complaints];
        }});
        console.log(JSON.stringify([again, parse("", course)]));
    """
    again, empty = in_node(code)
    assert again == [[address, []] for address in addresses]
    assert [one["network"] for one in empty["state"]["networks"]] == list(catalogue.NETWORKS)
    assert empty["complaints"] == []


WRONG = [
    ("rate=7", "rate is a number from 0.0001 to 3, not 7."),
    ("network=baseline,batch=1", "batch is a whole number from 2 to 1,024, not 1."),
    ("rate=", "rate is a number from 0.0001 to 3, not nothing."),
    ("momentum=1", "momentum is a number from 0 to 0.9999, not 1."),
    ("network=resnet", 'There is no network "resnet": choose baseline or bn_approach_one'),
    ("network=constructor", 'There is no network "constructor": choose baseline'),
    ("network=baseline,toString=1", 'There is nothing called "toString" to choose.'),
    ("__proto__=1", 'There is nothing called "__proto__" to choose.'),
    ("images=7", "images is one of 5000, 10000, 55000, not 7."),
    ("hidden=300-", "hidden is the widths of 1 to 20 hidden layers, such as 300-100"),
    ("speed=3", 'There is nothing called "speed" to choose.'),
    ("&".join(5 * ["network=baseline"]), "There is room for 4 networks."),
]


@pytest.mark.parametrize(("address", "complaint"), WRONG)
def test_what_an_address_cannot_mean_is_said(node: None, address: str, complaint: str) -> None:
    code = f"""
        import {{ parse }} from "./recipe.js";
        console.log(JSON.stringify(parse({json.dumps(address)}, {json.dumps(offered())})));
    """
    found = in_node(code)
    assert len(found["complaints"]) == 1
    assert found["complaints"][0].startswith(complaint)
    assert 1 <= len(found["state"]["networks"]) <= 4


def test_a_build_refuses_what_the_page_would_not_understand(tmp_path: Path) -> None:
    addresses = [address for address, _ in WRONG]
    told = "\n".join(
        f"```{{live}} train\n:with: {address}\n\nNothing.\n```\n"
        for address in [*addresses, f"{SHORT}&network=baseline,batch=8"]
    )
    (tmp_path / "index.md").write_text(f"# Experiments\n\n{told}", "utf-8")
    (tmp_path / "_static").mkdir()
    (tmp_path / "_static" / "live").symlink_to(LIVE)
    folders = [tmp_path, None, tmp_path / "out", tmp_path / "trees"]
    app = Sphinx(*folders, "dummy", {"extensions": ["myst_parser"]}, status=None)
    app.add_config_value("evergreen_places", {"train": ""}, "")
    app.add_directive("live", Live)
    app.setup_extension("bnlab.site.experiments")
    with pytest.raises(ExtensionError) as refused:
        app.build()
    said = str(refused.value.orig_exc).splitlines()
    lines = (tmp_path / "index.md").read_text("utf-8").splitlines()
    for (address, complaint), sentence in zip(WRONG, said, strict=True):
        where = f"index.md, line {lines.index(f':with: {address}') + 1}: "
        assert sentence.startswith(where + complaint)


def experiments() -> dict[str, str]:
    """Return the state of each experiment on the page of the training, by its label."""
    text = (ROOT / "book" / "train.md").read_text("utf-8")
    return dict(
        re.findall(r"^\(experiment-(\w+)\)=$.*?^:with: (\S+)$", text, re.MULTILINE | re.DOTALL)
    )


def test_every_experiment_of_the_page_can_be_trained(node: None) -> None:
    code = f"""
        import {{ format, parse }} from "./recipe.js";
        const course = {json.dumps(offered())};
        console.log(JSON.stringify({json.dumps(list(experiments().values()))}.map((state) => {{
            const parsed = parse(state, course);
            return [parsed.complaints, format(parsed.state, course)];
        }})));
    """
    # What is set up is what the address says, in the shortest way.
    assert in_node(code) == [[[], state] for state in experiments().values()]
    assert len(set(experiments().values())) == 8


def test_the_experiment_that_is_said_to_diverge_does(node: None, images: data.FashionMNIST) -> None:
    pixels = (255 * images.train.pixels[:5000]).round().astype(np.uint8).tobytes()
    code = f"""
        import {{ readFileSync }} from "node:fs";
        import {{ text }} from "node:stream/consumers";
        import {{ compiled }} from "./kernels.js";
        import {{ parse }} from "./recipe.js";
        import {{ Training }} from "./training.js";
        const {{ state }} = parse("{experiments()["divergence"]}", {json.dumps(offered())});
        const part = {{
            pixels: Buffer.from(await text(process.stdin), "base64"),
            labels: {images.train.labels[:5000].tolist()},
        }};
        const kernels = await compiled(readFileSync("kernels.wasm"));
        const training = new Training({{ ...state.networks[0], epochs: 1 }}, part, kernels);
        while (!training.finished) training.advance();
        console.log(JSON.stringify([state.images, state.networks.length, training.diverged]));
    """
    assert in_node(code, base64.b64encode(pixels).decode()) == [5000, 1, True]


def test_the_page_begins_with_the_course_s_own_recipes() -> None:
    for name, recipe in offered().items():
        own = recipes.Recipe(name)
        network = catalogue.find(name)
        assert (recipe["rate"], recipe["batch"], recipe["seed"]) == (
            own.learning_rate,
            own.batch_size,
            own.seed,
        )
        assert (recipe["order"] == "fresh") == own.reshuffle
        assert recipe["hidden"] == list(network.hidden)
        assert (recipe["activation"], recipe["initializer"]) == own.hidden
        assert recipe["normalization"] == network.normalization.split()[0]
        assert (recipe["pixels"] == "normalized") == network.normalizes_inputs


def test_the_band_is_that_of_the_course_s_runs(course: dict[str, Any]) -> None:
    for described in json.loads(live.train("")["data-course"]):
        runs = course[described["name"]]
        assert len(runs) == len(recipes.SEEDS)
        for metric in ("loss", "val_accuracy"):
            values = np.array([run.history[metric] for run in runs])
            edges = np.array(described["band"][metric])
            np.testing.assert_allclose(
                edges, np.stack([values.min(0), values.max(0)], 1), atol=1e-5
            )


def test_a_network_that_the_browser_cannot_train_is_not_offered() -> None:
    baseline = catalogue.find("baseline")
    assert live.trains(baseline)
    assert not live.trains(dataclasses.replace(baseline, dropout=0.5))
    assert not live.trains(dataclasses.replace(baseline, optimizer="Adam"))
    assert not live.trains(dataclasses.replace(baseline, bias=False))


# The images


def test_the_files_hold_the_images_in_the_course_s_order(images: data.FashionMNIST) -> None:
    folder = parts.exported()
    described = json.loads((folder / parts.CONTENTS).read_text("utf-8"))["parts"]
    joined: dict[str, list[data.Images]] = {"train": [], "valid": []}
    for name, part in parts.PARTS.items():
        content = (folder / described[name]["file"]).read_bytes()
        assert len(content) == described[name]["bytes"]
        all_bytes = np.frombuffer(zlib.decompress(content), np.uint8)
        count = described[name]["count"]
        joined[part.of].append(data.Images(all_bytes[count:], all_bytes[:count]))
    for of, found in joined.items():
        whole = getattr(images, of)
        pixels = np.concatenate([part.pixels for part in found]).reshape(whole.pixels.shape)
        assert (np.divide(pixels, 255, dtype=np.float32) == whole.pixels).all()
        assert (np.concatenate([part.labels for part in found]) == whole.labels).all()


def test_standardized_means_what_it_means_in_the_course_s_recipes() -> None:
    folder = parts.exported()
    described = json.loads((folder / parts.CONTENTS).read_text("utf-8"))["moments"]
    content = (folder / described["file"]).read_bytes()
    assert len(content) == described["bytes"]
    constants = np.frombuffer(zlib.decompress(content), "<f4").reshape(2, -1)
    network = variants.varied(recipes.Recipe("baseline", standardized=True))
    (layer,) = (one for one in network.layers if isinstance(one, keras.layers.Normalization))
    np.testing.assert_array_equal(constants, np.stack([layer.mean, layer.variance])[:, 0])


def test_the_page_is_light_and_loads_images_only_when_asked(browser: Browser, address: str) -> None:
    answers: dict[str, Response] = {}

    def sizes(*endings: str) -> dict[str, int]:
        return {
            path: len(answer.body()) for path, answer in answers.items() if path.endswith(endings)
        }

    with browser.new_context() as context:
        page = context.new_page()
        page.on("response", lambda answer: answers.update({urlsplit(answer.url).path: answer}))
        page.goto(f"{address}{PLACES['train']}.html", wait_until="networkidle")
        assert sum(sizes("").values()) <= WEIGHT, sizes("")
        assert sizes(".bin", ".wasm") == {}
        said = page.locator(".live-start .live-note").inner_text()
        page.evaluate(f"location.hash = '{SHORTEST}&network=baseline'")
        page.locator(".live-laboratory").wait_for()
        train(page)
        ended(page)
        scripts = {path: size for path, size in sizes(".js", ".wasm").items() if "/live/" in path}
        assert any(path.endswith("kernels.wasm") for path in scripts)
        assert sum(scripts.values()) <= SCRIPTS, scripts
        loaded = sum(sizes(".bin").values()) / 2**20
        assert float(re.search(r"([\d.]+) MiB", said)[1]) == pytest.approx(loaded, abs=0.06)


def test_no_other_page_loads_the_laboratory(site: Build) -> None:
    asking = [
        path.name
        for path in site.html.rglob("*.html")
        if "_static" not in path.parts and "laboratory.js" in path.read_text("utf-8")
    ]
    assert asking == []


FAILURES: dict[str, Callable[[Route], None]] = {
    "The server answered 503": lambda route: route.fulfill(status=503),
    "The server cannot be reached": lambda route: route.abort(),
}


def test_images_that_do_not_come_can_be_asked_for_again(browser: Browser, address: str) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(f"{address}{PLACES['train']}.html#{SHORTEST}&network=baseline")
        for words, failure in FAILURES.items():
            page.route("**/train-1.bin*", failure)
            train(page)
            page.get_by_text(words).wait_for()
            page.unroute("**/train-1.bin*")
        train(page)
        ended(page)


# The training


def test_one_trains_pauses_changes_shares_and_comes_back_to_the_same(
    browser: Browser, address: str
) -> None:
    with laboratory(browser, address) as page:
        assert len(cards(page)) == len(catalogue.NETWORKS)
        empty = shown(page, "Training loss"), shown(page, "Validation accuracy")
        train(page)
        for one in page.locator(".live-progress").all():
            expect(one).to_have_text(BEGUN)
        pause(page)
        moved = shown(page, "Training loss"), shown(page, "Validation accuracy")
        assert moved[0] != empty[0]
        assert moved[1] != empty[1]
        at = steps(page)
        page.get_by_role("button", name="Step").click()
        expect(page.locator(".live-progress").first).to_contain_text(f"step {at[0] + 1:,} of")
        page.locator(".live-details > summary").first.click()
        rate = page.get_by_label("Learning rate", exact=True)
        rate.fill("0.25")
        rate.press("Enter")
        expect(page.locator(".live-network").first).to_contain_text("learning rate 0.25")
        # Another network begins anew.
        expect(page.locator(".live-progress").first).to_contain_text("step 0 of")
        assert steps(page)[1] >= at[1], "the others stay where they are"
        expect(rate).to_be_focused()
        page.get_by_label("Epochs").fill("1")
        page.get_by_label("Epochs").press("Enter")
        there, names = page.evaluate("location.href"), cards(page)
    assert "epochs=1&network=baseline,rate=0.25" in there
    with visit(browser, there) as page:
        page.locator(".live-laboratory").wait_for()
        assert cards(page) == names
        expect(page).to_have_url(there)
        train(page)
        expect(page.locator(".live-progress").first).to_have_text(BEGUN)


def test_a_training_that_begins_anew_ends_with_the_same_digits(
    browser: Browser, address: str
) -> None:
    with laboratory(browser, address, SHORTEST) as page:
        train(page)
        first = ended(page), shown(page, "Training loss")
        page.get_by_role("button", name="Restart").click()
        expect(page.locator(".live-status")).to_contain_text("as before their first step")
        for one in page.locator(".live-progress").all():
            expect(one).to_contain_text("step 0 of")
        train(page)
        assert (ended(page), shown(page, "Training loss")) == first


IN_A_WORKER = """async ([address, recipe, images, labels, steps]) => {
    const pixels = Uint8Array.from(atob(images), (character) => character.charCodeAt(0));
    const part = { pixels, labels: Uint8Array.from(labels) };
    const pieces = [{ blob: new Blob([part.labels, part.pixels]), count: labels.length }];
    const worker = new Worker(`${address}_static/live/trainer.js`, { type: "module" });
    return new Promise((resolve, reject) => {
        let kernels = "";
        worker.onmessage = ({ data }) => {
            if (data.state === "failed") reject(new Error(data.message));
            if (data.state === "ready") {
                kernels = data.message;
                worker.postMessage({ type: "play", speed: 0, until: steps });
            }
            if (data.state === "paused") worker.postMessage({ type: "hand" });
            // So many numbers are sooner sent as a text, and written alike where they are alike.
            if (data.type === "network") resolve([kernels, JSON.stringify(data.layers)]);
        };
        const given = { train: pieces, valid: pieces, shown: part };
        worker.postMessage({ type: "start", recipe, images: given });
    });
}"""


STEPS = 10


def seeded(images: data.FashionMNIST) -> dict[str, list[Any]]:
    """Return for each of the course's networks a recipe and some images to train it on."""
    pixels = (255 * images.train.pixels[:96]).round().astype(np.uint8).tobytes()
    part = [base64.b64encode(pixels).decode(), images.train.labels[:96].tolist()]
    return {
        name: [recipe | {"epochs": 4, "order": "fresh"}, *part]
        for name, recipe in offered().items()
    }


@pytest.fixture(scope="module")
def seeded_in_node(node: None, images: data.FashionMNIST) -> dict[str, str]:
    """The layers of each of these networks after its first steps, as Node writes them."""
    code = f"""
        import {{ readFileSync }} from "node:fs";
        import {{ json }} from "node:stream/consumers";
        import {{ compiled }} from "./kernels.js";
        import {{ Training }} from "./training.js";
        const found = {{}};
        for (const [name, given] of Object.entries(await json(process.stdin))) {{
            const [recipe, pixels, labels] = given;
            const part = {{ pixels: Buffer.from(pixels, "base64"), labels }};
            const kernels = await compiled(readFileSync("kernels.wasm"));
            const training = new Training(recipe, part, kernels);
            while (training.step < {STEPS}) training.advance();
            found[name] = JSON.stringify(training.network.parameters());
        }}
        console.log(JSON.stringify(found));
    """
    return in_node(code, json.dumps(seeded(images)))


@pytest.mark.parametrize("kernels", ["WebAssembly", "JavaScript"])
def test_a_seed_gives_the_same_bits_in_the_browser_as_in_node(
    browser: Browser,
    address: str,
    images: data.FashionMNIST,
    seeded_in_node: dict[str, str],
    kernels: str,
) -> None:
    with visit(browser, f"{address}{PLACES['train']}.html") as page:
        if kernels == "JavaScript":
            page.context.route("**/kernels.wasm", lambda route: route.fulfill(body=b"", status=200))
        for name, training in seeded(images).items():
            used, ours = page.evaluate(IN_A_WORKER, [address, *training, STEPS])
            assert used == kernels
            same = ours == seeded_in_node[name]
            assert same, name


@pytest.mark.parametrize("kernels", ["WebAssembly", "JavaScript"])
def test_a_seed_gives_the_same_bits_in_firefox_as_in_node(
    images: data.FashionMNIST, seeded_in_node: dict[str, str], tmp_path: Path, kernels: str
) -> None:
    site, profile = tmp_path / "site", tmp_path / "profile"
    profile.mkdir()
    shutil.copytree(LIVE, site / "_static" / "live")
    if kernels == "JavaScript":
        (site / "_static" / "live" / "kernels.wasm").write_bytes(b"")
    trainings = seeded(images)
    code = f"""async () => {{
        const found = [];
        for (const training of {json.dumps(list(trainings.values()))}) {{
            found.push(await ({IN_A_WORKER})([`${{location.origin}}/`, ...training, {STEPS}]));
        }}
        return found;
    }}"""
    found = firefox.evaluate(code, site, profile)
    for name, (used, ours) in zip(trainings, found, strict=True):
        assert used == kernels
        same = ours == seeded_in_node[name]
        assert same, name


def test_a_network_that_diverges_says_so_and_the_others_go_on(diverged: Page) -> None:
    failed, other = diverged.locator(".live-progress").all_inner_texts()
    assert re.search(r"Baseline.* diverged after step \d+", ended(diverged))
    assert "diverged" in failed
    assert re.match(r"step 20 of 20 · validation [\d.]+%", other)


def test_an_address_can_say_where_to_pause(browser: Browser, address: str) -> None:
    with laboratory(browser, address, f"{SHORT}&pause=7&network=baseline") as page:
        train(page)
        page.locator(".live-status", has_text="Paused where the address says").wait_for()
        expect(page.locator(".live-progress")).to_contain_text("step 7 of 20")
        train(page)
        ended(page)
        assert steps(page) == [20]


def test_an_experiment_s_link_brings_its_networks(browser: Browser, address: str) -> None:
    with visit(browser, f"{address}{PLACES['train']}.html#experiment-pixels") as page:
        links = page.get_by_role("link", name="Set it up")
        expect(links).to_have_count(8)
        expect(page.locator(".live-laboratory")).to_have_count(0)
        for label, networks in (("pixels", 4), ("pairs", 2)):
            link = page.locator(f"section:has(> #experiment-{label})").get_by_role(
                "link", name="Set it up"
            )
            link.press("Enter")
            expect(page.locator(".live-networks > li")).to_have_count(networks)
            expect(page).to_have_url(re.compile(re.escape(f"#{experiments()[label]}") + "$"))
            expect(page.get_by_role("button", name="Train", exact=True)).to_be_in_viewport()


def test_an_experiment_and_its_lesson_lead_to_each_other() -> None:
    text = (ROOT / "book" / "train.md").read_text("utf-8")
    places = re.findall(r"^\(experiment-(\w+)\)=$(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    for label, place in places:
        lessons = [name for name in re.findall(r"\{doc\}`(.*?)`", place) if name in LESSONS]
        back = f"{{ref}}`experiment-{label}`"
        assert all(back in FILES[name].read_text("utf-8") for name in lessons), label


def test_the_band_shows_where_the_course_has_trained_the_same(
    browser: Browser, address: str
) -> None:
    band = "The band: the course's own five runs of this recipe."
    epochs = recipes.Recipe("baseline").epochs
    whole = f"images=55000&epochs={epochs}&network=baseline&network=baseline,rate=0.1"
    with laboratory(browser, address, whole) as page:
        expect(page.get_by_text(band)).to_have_count(1)
        page.evaluate("location.hash = 'images=5000&epochs=10&network=baseline'")
        expect(page.locator(".live-networks > li")).to_have_count(1)
        expect(page.get_by_text(band)).to_have_count(0)


def test_a_look_inside_shows_what_enters_and_leaves_each_layer(
    browser: Browser, address: str
) -> None:
    with laboratory(browser, address, f"{SHORT}&network=bn_approach_two") as page:
        page.locator("summary", has_text="Look inside").click()
        train(page)
        ended(page)
        rows = page.get_by_role("table", name="Distributions").locator("tbody tr")
        expect(rows).to_have_count(6)
        leaves = rows.nth(3).locator("td").all_inner_texts()
        mean, deviation = float(leaves[0]), float(leaves[1])
        # Gamma and beta have hardly moved from 1 and 0.
        assert abs(mean) < 0.1
        assert abs(deviation - 1) < 0.1
        for name in ("Norms", "Moving averages"):
            expect(page.get_by_role("table", name=name).locator("tbody tr")).to_have_count(3)


def test_the_numbers_are_a_table_and_a_file(trained: Page) -> None:
    table = trained.get_by_role("table", name="Now").locator("tbody tr")
    expect(table).to_have_count(len(catalogue.NETWORKS))
    texts = [row.locator("td").all_inner_texts() for row in table.all()]
    with trained.expect_download() as download:
        trained.get_by_role("button", name="Save as CSV").click()
    lines = download.value.path().read_text("utf-8").splitlines()
    with trained.expect_download() as picture:
        trained.get_by_role("button", name="Save as PNG").click()
    assert picture.value.path().read_bytes()[:4] == b"\x89PNG"
    # Each network has a line for what it is before its first step, and one for each step.
    assert len(lines) == 1 + 6 * len(texts)
    for row, last in zip(texts, lines[6::6], strict=True):
        _, step, _, smoothed, val_loss, accuracy, _ = last.split(",")
        assert row[0] == step == "5"
        assert float(row[1]) == pytest.approx(float(smoothed), abs=5e-5)
        assert float(row[2]) == pytest.approx(float(val_loss), abs=5e-5)
        assert float(row[3][:-1]) == pytest.approx(100 * float(accuracy), abs=0.05)


def test_an_axis_has_at_least_two_numbers(node: None) -> None:
    code = """
        import { ticks } from "./chart.js";
        const ranges = [[0, 1], [0, 6], [0, 471], [0, 4710], [0, 17190], [0.1, 0.85], [0.7, 0.9]];
        console.log(JSON.stringify(ranges.map(([low, high]) =>
            [2, 3, 6].map((wanted) => [low, high, ticks(low, high, wanted)]))));
    """
    for low, high, found in itertools.chain.from_iterable(in_node(code)):
        assert 2 <= len(found) <= 8, (low, high, found)
        assert low <= found[0] < found[-1] <= high


def test_a_legend_stays_with_the_curves(diverged: Page) -> None:
    names = [name.inner_text() for name in diverged.locator(".live-network").all()]
    diverged.get_by_role("button", name="Save as CSV").scroll_into_view_if_needed()
    legend = diverged.locator(".live-legend > li")
    for entry, name, said in zip(legend.all(), names, (r"diverged", r"[\d.]+%"), strict=True):
        expect(entry).to_be_in_viewport(ratio=1)
        expect(entry).to_have_text(
            re.compile(rf"^{re.escape(name)}\s+{said}$"), use_inner_text=True
        )


def test_a_variant_does_not_take_the_colour_of_a_network_of_the_course(
    browser: Browser, address: str
) -> None:
    state = f"{SHORT}&network=bn_approach_two,normalization=none&network=bn_approach_two"
    own = catalogue.find("bn_approach_two").color
    red, green, blue = (int(own[place : place + 2], 16) for place in (1, 3, 5))
    with laboratory(browser, address, state) as page:
        variant, course = page.locator(".live-networks .live-swatch").all()
        drawn = f"rgb({red}, {green}, {blue})"
        assert drawn in course.evaluate("piece => getComputedStyle(piece).background")
        assert drawn not in variant.evaluate("piece => getComputedStyle(piece).background")


def test_the_address_that_is_copied_is_that_of_the_experiment(
    browser: Browser, address: str
) -> None:
    state = f"{SHORT}&network=baseline,rate=0.25"
    permissions = ["clipboard-read", "clipboard-write"]
    with laboratory(browser, address, state, permissions=permissions) as page:
        there = page.evaluate("location.href")
        page.evaluate("location.hash = 'what-you-see'")
        page.get_by_role("button", name="Copy the address").click()
        page.locator(".live-status", has_text="copied").wait_for()
        copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == there


def test_what_an_address_cannot_mean_stays_said_until_something_is_chosen(
    browser: Browser, address: str
) -> None:
    complaint = "rate is a number from 0.0001 to 3, not 7."
    with laboratory(browser, address, f"{SHORTEST}&rate=7&network=baseline") as page:
        train(page)
        ended(page)
        expect(page.get_by_text(complaint)).to_be_visible()
        page.get_by_label("Epochs").fill("2")
        page.get_by_label("Epochs").press("Enter")
        expect(page.get_by_text(complaint)).to_have_count(0)


def test_a_complaint_stands_at_its_control(browser: Browser, address: str) -> None:
    with laboratory(browser, address, f"{SHORT}&network=baseline") as page:
        page.locator(".live-details > summary").first.click()
        batch = page.get_by_label("Batch size", exact=True)
        batch.fill("1667")
        batch.press("Enter")
        field = page.locator(".live-field").filter(has=batch)
        expect(field).to_contain_text("Batch size: a whole number from 2 to 1,024, not 1667.")
        expect(batch).to_have_attribute("aria-invalid", "true")


def test_a_browser_without_workers_says_so(browser: Browser, address: str) -> None:
    with browser.new_context() as context:
        context.add_init_script("delete globalThis.Worker")
        page = context.new_page()
        page.goto(f"{address}{PLACES['train']}.html#{SHORT}&network=baseline")
        train(page)
        said = re.compile("^Ended.*this browser has no workers")
        expect(page.locator(".live-status")).to_have_text(said)


def test_images_come_once_however_often_they_are_asked_for(browser: Browser, address: str) -> None:
    asked: list[Route] = []
    with browser.new_context() as context:
        page = context.new_page()
        page.route("**/train-1.bin*", lambda route: asked.append(route))
        page.goto(f"{address}{PLACES['train']}.html#{SHORTEST}&network=baseline")
        with page.expect_request("**/train-1.bin*"):
            train(page)
        for name in ("Pause", "Step", "Train"):
            page.get_by_role("button", name=name, exact=True).click()
        expect(page.locator(".live-status")).to_have_text("The images are on their way …")
        asked[0].continue_()
        ended(page)
    assert len(asked) == 1


ENDLESS = "images=5000&epochs=200&network=baseline"


def train_slowly(page: Page) -> None:
    """Train ten steps a second, as fast as workers report, and wait for the first."""
    page.get_by_label("Speed").select_option(label="10 steps a second")
    train(page)
    expect(page.locator(".live-progress")).to_have_text(BEGUN)


def test_a_hidden_page_pauses_and_goes_on_when_it_is_seen(browser: Browser, address: str) -> None:
    hide = """hidden => {
        Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
        document.dispatchEvent(new Event("visibilitychange"));
    }"""
    with laboratory(browser, address, ENDLESS) as page:
        train_slowly(page)
        page.evaluate(hide, True)
        expect(page.locator(".live-progress")).not_to_contain_text("left")
        paused = steps(page)
        page.wait_for_timeout(300)
        assert steps(page) == paused
        page.evaluate(hide, False)
        expect(page.locator(".live-progress")).not_to_contain_text(f"step {paused[0]} of")
        assert steps(page) > paused
        page.get_by_role("button", name="Pause").click()


def test_whoever_wants_less_motion_sees_a_picture_a_second(browser: Browser, address: str) -> None:
    count = """() => {
        window.pictures = 0;
        const clear = CanvasRenderingContext2D.prototype.clearRect;
        CanvasRenderingContext2D.prototype.clearRect = function (...place) {
            window.pictures += 1;
            return clear.apply(this, place);
        };
    }"""
    with laboratory(browser, address, ENDLESS, reduced_motion="reduce") as page:
        train_slowly(page)
        page.evaluate(count)
        page.wait_for_timeout(2000)
        # Workers report ten times a second, and each of the two charts is drawn anew.
        assert 1 <= page.evaluate("window.pictures") / 2 <= 4
        page.get_by_role("button", name="Pause").click()


def test_images_reach_their_workers_without_a_copy_on_the_page(
    browser: Browser, address: str
) -> None:
    watch = """
        window.copied = 0;
        const post = Worker.prototype.postMessage;
        const size = (value) => {
            if (ArrayBuffer.isView(value)) return value.byteLength;
            if (value instanceof Blob || Object(value) !== value) return 0;
            return Object.values(value).reduce((sum, part) => sum + size(part), 0);
        };
        Worker.prototype.postMessage = function (message) {
            window.copied += size(message);
            post.call(this, message);
        };
    """
    with browser.new_context() as context:
        context.add_init_script(watch)
        page = context.new_page()
        page.goto(f"{address}{PLACES['train']}.html#{SHORTEST}&network=baseline")
        train(page)
        ended(page)
        ten_images_and_moments = 10 * 785 + 2 * 4 * 784
        assert page.evaluate("window.copied") == ten_images_and_moments


def test_a_trained_network_can_be_asked_beside_the_course_s_own(
    browser: Browser, address: str, images: data.FashionMNIST
) -> None:
    state = f"{SHORT}&network=baseline&network=bn_approach_two,pixels=standardized"
    labels = images.test.labels
    with laboratory(browser, address, state) as page:
        train(page)
        ended(page)
        said = page.locator(".live-garments tbody tr").nth(1).locator("td").all_inner_texts()
        page.locator(".live-networks summary").nth(1).click()
        page.get_by_role("button", name="Ask it in").click()
        table = page.get_by_role("table", name="The probability")
        table.wait_for()
        heads = table.locator("thead th").all_inner_texts()
        assert heads[-1] == "Yours: BN approach two, pixels: standardized once"
        assert len(heads) == len(catalogue.NETWORKS) + 1
        page.get_by_role("radio", name=re.compile("^Inference")).check()
        for label, answer in enumerate(said):
            # The first test image of a class is on both pages.
            first = int(np.flatnonzero(labels == label)[0])
            name = f"{data.CLASSES[label]}, test image {first}"
            page.get_by_role("radio", name=name, exact=True).check()
            page.evaluate(
                "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
            )
            garment, share = re.fullmatch(r"[✓✗] (.*) (\d+)%", answer).groups()
            row = table.locator("tbody tr").nth(data.CLASSES.index(garment))
            shown_there = float(row.locator("td").last.inner_text()[:-1])
            assert shown_there == pytest.approx(float(share), abs=0.56)


# Within everybody's reach


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_axe_finds_nothing_in_a_training_light_or_dark(
    trained: Page, size: tuple[int, int]
) -> None:
    resize(trained, size)
    prefer(trained, "light")
    look_with_axe(trained)
    prefer(trained, "dark")
    look_with_axe(trained, runOnly=COLOUR)


@pytest.mark.parametrize("width", PHONES)
def test_on_a_phone_controls_and_curves_are_seen_together(trained: Page, width: int) -> None:
    resize(trained, (width, PHONE[1]))
    assert trained.evaluate("document.documentElement.scrollWidth") <= width
    small = trained.locator(
        ":is(.live-laboratory :is(button, select, input, summary), .live-link)"
    ).evaluate_all(
        """tags => tags.filter(tag => tag.checkVisibility()
            && tag.getBoundingClientRect().height < 43.9).map(tag => tag.outerHTML)"""
    )
    assert small == []
    rate = trained.get_by_label("Learning rate", exact=True).first
    rate.scroll_into_view_if_needed()
    trained.mouse.wheel(0, 1)
    for seen in (
        rate,
        trained.get_by_role("img", name=re.compile("^Training loss")),
        trained.get_by_role("button", name="Train", exact=True),
    ):
        expect(seen).to_be_in_viewport(ratio=0.9)


@pytest.mark.parametrize("size", [PHONE, PHONE[::-1]], ids=["upright", "on its side"])
def test_the_curves_do_not_cover_what_has_the_focus(trained: Page, size: tuple[int, int]) -> None:
    resize(trained, size)
    # What has the focus already does not scroll to where it is seen.
    trained.evaluate("document.activeElement.blur()")
    trained.get_by_role("button", name="Save as PNG").focus()
    assert covered(trained) == []


def test_the_keyboard_alone_trains(browser: Browser, address: str) -> None:
    with visit(browser, f"{address}{PLACES['train']}.html") as page:
        for _ in range(200):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.textContent") == "Train":
                break
        page.keyboard.press("Enter")
        page.locator(".live-status", has_text="Training.").wait_for()
        expect(page.get_by_role("button", name="Pause")).to_be_focused()
        page.keyboard.press("Enter")
        page.locator(".live-status", has_text="Paused.").wait_for()
        reached = set()
        for _ in range(60):
            page.keyboard.press("Tab")
            reached.add(
                page.evaluate(
                    "(document.activeElement.labels?.[0] ?? document.activeElement).textContent"
                )
            )
        wanted = {"Step", "Restart", "Add a network", "Training images", "Epochs", "Speed"}
        assert wanted | {"Copy the address", "Save as CSV", "Look inside"} <= reached


def test_the_place_in_a_lesson_trains_what_its_author_chose(
    browser: Browser, site: Build, address: str
) -> None:
    told = [
        (path.relative_to(site.html).as_posix(), match[1])
        for path in sorted((site.html / "lessons").glob("*.html"))
        for match in re.finditer(r'data-with="([^"]*)"', path.read_text("utf-8"))
    ]
    if not told:
        pytest.skip("No lesson has a training.")
    name, chosen = told[0]
    notebook = notebook_of(site, name.removesuffix(".html")).read_text("utf-8")
    assert "data-with" not in notebook
    assert chosen.replace("&amp;", "&") not in notebook
    with visit(browser, f"{address}{name}", PHONE) as page:
        train(page)
        page.locator(".live-progress", has_text=BEGUN).first.wait_for()
        link = page.locator(".live-laboratory a")
        assert link.get_attribute("href").split("#")[1] == chosen.replace("&amp;", "&")
        assert "#" not in page.url
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
        page.get_by_role("button", name="Pause").click()
