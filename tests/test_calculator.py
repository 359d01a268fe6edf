"""The calculator counts as the package does, whatever the catalogue holds."""

from __future__ import annotations

import dataclasses
import html
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Locator, Page
from support.scripts import page_with

from bnlab import arithmetic
from bnlab.catalogue import NETWORKS, Network
from bnlab.site import live

DEEPER = dataclasses.replace(
    NETWORKS["bn_approach_two"],
    name="deeper",
    title="One layer more",
    short="Deeper",
    hidden=(300, 100, 50),
    normalizes_inputs=False,
    bias=True,
)
"""One hidden layer more than the others, and no normalization of the pixels."""

COURSE = list(NETWORKS.values())


@contextmanager
def calculator(browser: Browser, networks: Sequence[Network] = COURSE) -> Iterator[Page]:
    """Open a page with nothing but the calculator."""
    attributes = " ".join(
        f'{name}="{html.escape(value)}"' for name, value in live.structures(networks).items()
    )
    body = f'<div data-live="calculator" {attributes}></div>'
    body += '<script type="module" src="live/calculator.js"></script>'

    with page_with(browser, body) as page:
        page.locator("table").wait_for()
        yield page


def fields(page: Page) -> list[Locator]:
    return page.get_by_role("spinbutton").all()


def fill(page: Page, widths: Sequence[int]) -> None:
    for field, width in zip(fields(page), widths, strict=True):
        field.fill(str(width))


def counted(networks: Sequence[Network], widths: Sequence[int]) -> list[Network]:
    """Return networks with other widths, of which one with fewer hidden layers has the first."""
    return [
        dataclasses.replace(network, hidden=tuple(widths[1 : len(network.hidden) + 1]))
        for network in networks
    ]


@pytest.mark.parametrize("networks", [COURSE, [*COURSE, DEEPER]], ids=["course", "and a deeper"])
def test_the_calculator_begins_with_the_widths_of_the_deepest_network(
    browser: Browser, networks: list[Network]
) -> None:
    with calculator(browser, networks) as page:
        assert tuple(int(field.input_value()) for field in fields(page)) == networks[-1].widths


@pytest.mark.parametrize(
    ("networks", "widths"),
    [
        *((COURSE, widths) for widths in (NETWORKS["baseline"].widths, (784, 500, 200, 10))),
        *(([*COURSE, DEEPER], widths) for widths in (DEEPER.widths, (784, 9, 8, 7, 10))),
        ([DEEPER, *COURSE], (784, 50, 60, 50, 10)),
    ],
)
def test_the_calculator_counts_as_the_package_does(
    browser: Browser, networks: list[Network], widths: tuple[int, ...]
) -> None:
    with calculator(browser, networks) as page:
        fill(page, widths)
        rows = [
            [row.locator("th").inner_text(), *row.locator("td").all_inner_texts()]
            for row in page.locator("tbody tr").all()
        ]
        formulas = [text for text in page.locator("div > p").all_inner_texts() if " = " in text]
    wanted = counted(networks, widths)
    expected = [
        [name, *(f"{layer.total:,}" if layer else "–" for layer in layers)]
        for name, layers in arithmetic.side_by_side(wanted)
    ]
    sums = [arithmetic.totals(arithmetic.count(network)) for network in wanted]
    assert rows == [
        *expected,
        ["Trained", *(f"{total.trainable:,}" for total in sums)],
        ["Not trained", *(f"{total.non_trainable:,}" for total in sums)],
        ["Total", *(f"{total.total:,}" for total in sums)],
    ]
    for text, network, total in zip(formulas, wanted, sums, strict=True):
        title, formula = text.split(": ")
        formula, result = formula.split(" = ")
        terms = [layer.formula for layer in arithmetic.count(network)]
        assert title == network.short
        assert formula == " + ".join(f"({term})" if "+" in term else term for term in terms)
        assert eval(formula.replace("·", "*")) == total.total
        assert result == f"{total.total:,}"


def test_other_inputs_and_classes_count_too(browser: Browser) -> None:
    with calculator(browser) as page:
        fill(page, (50, 1, 1, 7))
        totals = page.locator("tr", has_text="Total").locator("td").all_inner_texts()
    layers = [arithmetic.count(network, (50, 1, 1, 7)) for network in COURSE]
    assert totals == [f"{arithmetic.totals(of_network).total:,}" for of_network in layers]


def test_the_calculator_says_which_networks_have_fewer_layers(browser: Browser) -> None:
    with calculator(browser, [*COURSE, DEEPER]) as page:
        said = page.locator(".live-note").all_inner_texts()
    assert said == ["Of the hidden layers, Baseline, BN one, BN two have the first."]
    with calculator(browser) as page:
        assert page.locator(".live-note").count() == 0


@pytest.mark.parametrize("text", ["0", "-3", "2.5", "", "100001"])
def test_a_width_that_is_none_is_refused_with_what_to_do(browser: Browser, text: str) -> None:
    with calculator(browser) as page:
        field = fields(page)[1]
        field.fill(text)
        said = page.locator("#live-complaint")
        told = f", not {text}" if text else ""
        assert said.inner_text() == (
            f"Hidden layer 1: a width is a whole number from 1 to 100,000{told}."
        )
        assert field.get_attribute("aria-invalid") == "true"
        assert not page.locator("table").is_visible()
        field.fill("20")
        assert said.inner_text() == ""
        assert page.locator("table").is_visible()
