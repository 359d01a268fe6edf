"""The page of claims lists what the pages claim, all of it, with its runs."""

from __future__ import annotations

from website import Build, soup

from bnlab import catalogue, recipes, runs


def test_every_claim_of_every_page_is_listed(site: Build) -> None:
    article = soup(site.html / "claims.html").select_one("article.bd-article")
    listed = [item.p.get_text() for item in article.select("section section li")]
    claimed = [
        tag.get_text().removeprefix("Checked").strip()
        for page in site.html.rglob("*.html")
        for tag in soup(page).select("p.claim")
    ]
    assert claimed
    assert sorted(listed) == sorted(claimed)


def test_claims_name_the_runs_that_they_rest_on(site: Build) -> None:
    evidence = soup(site.html / "claims.html").select("li p.evidence")
    text = " ".join(paragraph.get_text() for paragraph in evidence)
    for recipe in recipes.course():
        assert runs.key(recipe)[:8] in text, recipe
    for network in catalogue.NETWORKS.values():
        assert network.title in text
