"""The batch that a reader can move is normalized as the package does it, and on every device."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect
from support.browsing import PHONE
from support.scripts import page_with
from website import ROOT

from bnlab import batchnorm

BEGIN = [2, 4, 4, 4, 5, 5, 7, 9]


def in_node(jobs: list[dict[str, object]]) -> list[dict[str, list[float]]]:
    done = subprocess.run(
        ["node", "tests/node/normalization.mjs"],
        input=json.dumps(jobs),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def test_both_modes_and_the_moving_averages_are_those_of_the_package() -> None:
    random = np.random.default_rng(3)
    jobs = [
        {
            "values": random.normal(3, 4, size).tolist(),
            "gamma": random.uniform(0, 3),
            "beta": random.normal(),
            "moving": {"mean": random.normal(), "variance": random.uniform(0.1, 5)},
            "steps": steps,
        }
        for size, steps in ((8, 0), (8, 1), (8, 100), (2, 3), (1, 1))
    ]
    for job, found in zip(jobs, in_node(jobs), strict=True):
        x = np.array(job["values"])[:, None]
        gamma, beta = np.array([job["gamma"]]), np.array([job["beta"]])
        out, saved = batchnorm.forward(x, gamma, beta)
        mean, variance = (np.array([value]) for value in job["moving"].values())
        for _ in range(job["steps"]):
            mean = batchnorm.update_moving_average(mean, saved.mean)
            variance = batchnorm.update_moving_average(variance, saved.variance)
        inferred = batchnorm.infer(x, gamma, beta, mean, variance)
        np.testing.assert_allclose(found["training"], out[:, 0], atol=1e-12)
        np.testing.assert_allclose(found["moving"], [mean[0], variance[0]], rtol=1e-12)
        np.testing.assert_allclose(found["inference"], inferred[:, 0], rtol=1e-10, atol=1e-12)


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A phone's page with nothing but the batch."""
    body = """<link rel="stylesheet" href="live/live.css">
        <div class="live" data-live="values"><p>Written out.</p></div>
        <script type="module" src="live/values.js"></script>"""

    width, height = PHONE
    with page_with(browser, body, {"width": width, "height": height}) as page:
        page.locator("svg").wait_for()
        yield page


def shown(page: Page) -> list[float]:
    """Return what leaves the layer for each of the eight values."""
    texts = page.locator("output", has_text="→").all_inner_texts()
    return [float(text.split("→")[1].strip().replace("−", "-")) for text in texts]


def normalized(values: list[float]) -> list[float]:
    x = np.array(values, float)[:, None]
    out, _ = batchnorm.forward(x, np.ones(1), np.zeros(1))
    return out[:, 0].tolist()


def test_a_value_moved_by_the_keyboard_moves_the_others_in_training_and_not_in_inference(
    page: Page,
) -> None:
    assert shown(page) == pytest.approx(normalized(BEGIN), abs=0.005)
    last = page.get_by_role("slider", name="Value 8")
    last.focus()
    page.keyboard.press("ArrowRight")
    moved = shown(page)
    assert moved == pytest.approx(normalized([*BEGIN[:-1], 10]), abs=0.005)
    page.get_by_role("button", name="Train 100 steps").click()
    page.get_by_text("Inference", exact=True).click()
    before = shown(page)
    last.focus()
    page.keyboard.press("ArrowRight")
    after = shown(page)
    assert after[:-1] == before[:-1]
    assert after[-1] > before[-1]


def test_gamma_and_beta_scale_and_shift_and_start_again_undoes_all(page: Page) -> None:
    page.get_by_role("slider", name="Gamma").fill("2")
    page.get_by_role("slider", name="Beta").fill("1")
    assert shown(page) == pytest.approx([2 * y + 1 for y in normalized(BEGIN)], abs=0.01)
    page.get_by_role("button", name="outlier").click()
    page.get_by_text("Inference", exact=True).click()
    page.get_by_role("button", name="Start again").click()
    expect(page.get_by_role("radio", name="Training")).to_be_checked()
    assert shown(page) == pytest.approx(normalized(BEGIN), abs=0.005)


def test_it_fits_a_phone(page: Page) -> None:
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= PHONE[0]
