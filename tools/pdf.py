"""Print the built site as one PDF, with an outline and page numbers: `make pdf`.

The pages are put together in one document first, so that their links, their formulas and the
numbers below the pages go through from the first to the last.
"""

from __future__ import annotations

import functools
import http.server
import os
import shutil
import sys
import threading
from pathlib import Path

import yaml
from playwright.sync_api import sync_playwright

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

# An id, and a link to it, get the name of the page before them.
GATHER = """async names => {
  const article = document.querySelector("article.bd-article");
  const parts = await Promise.all(names.map(async name => {
    const address = new URL(`${name}.html`, document.baseURI);
    const page = new DOMParser().parseFromString(await (await fetch(address)).text(), "text/html");
    const part = page.querySelector("article.bd-article");
    const at = (name, id) => `${name.replaceAll("/", "-")}--${id}`;
    for (const tag of part.querySelectorAll("[id]")) tag.id = at(name, tag.id);
    part.id = at(name, "");
    for (const link of part.querySelectorAll("a[href]")) {
      const to = new URL(link.getAttribute("href"), address);
      const other = names.find(name => new URL(`${name}.html`, document.baseURI).pathname === to.pathname);
      link.href = other ? `#${at(other, to.hash.slice(1))}` : to.href;
    }
    for (const picture of part.querySelectorAll("img")) {
      picture.loading = "eager";
      picture.src = new URL(picture.getAttribute("src"), address).href;
    }
    for (const tag of part.querySelectorAll("details")) tag.open = true;
    for (const tag of part.querySelectorAll(".headerlink")) tag.remove();
    part.classList.add("printed-page");
    return part;
  }));
  article.replaceWith(...parts);
  document.querySelectorAll(".onlyprint").forEach(tag => tag.remove());
  await Promise.all([...document.images].map(picture => picture.decode().catch(() => {})));
  await document.fonts.ready;
}"""

# The theme prints a title and a list of contents of its own before each page. A heading stays
# with its text because it is taller than it looks: Chromium writes one that it had to move
# twice into the outline.
STYLE = """
.printed-page :is(h1, h2, h3) { break-after: auto !important; break-inside: avoid; }
.printed-page :is(h1, h2, h3)::after {
  content: ""; display: block; height: 6rem; margin-bottom: -6rem; }
.printed-page + .printed-page { break-before: page; }
.printed-page h1 { display: block !important; }
.printed-page h2 { font-size: 1.5rem; }
"""

FOOTER = """<div style="font: 8px sans-serif; width: 100%; text-align: center">
<span class="pageNumber"></span> / <span class="totalPages"></span></div>"""


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves files and says nothing about it."""

    def log_message(self, *_args):
        pass


def main(site, file):
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        sys.exit("There is no Chromium; install it (on Debian and Ubuntu: apt install chromium).")
    if not (site / "index.html").is_file():
        sys.exit(f"There is no site in {site}; call `make site` first.")
    contents = yaml.safe_load(Path("_toc.yml").read_text("utf-8"))
    chapters = [chapter["file"] for part in contents["parts"] for chapter in part["chapters"]]
    handler = functools.partial(Quiet, directory=str(site))
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    with (
        http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server,
        sync_playwright() as playwright,
    ):
        threading.Thread(target=server.serve_forever, daemon=True).start()
        chromium = playwright.chromium.launch(executable_path=browser, args=sandbox)
        page = chromium.new_page(color_scheme="light", bypass_csp=True)
        page.goto(f"http://127.0.0.1:{server.server_port}/{contents['root']}.html")
        page.add_style_tag(content=STYLE)
        page.evaluate(GATHER, [contents["root"], *chapters])
        page.pdf(
            path=file,
            format="A4",
            scale=0.8,
            margin={side: "18mm" for side in ("top", "right", "bottom", "left")},
            print_background=True,
            display_header_footer=True,
            header_template="<span></span>",
            footer_template=FOOTER,
            outline=True,
            tagged=True,
        )
        chromium.close()
        server.shutdown()
    print(f"The course is printed: {file}")


if __name__ == "__main__":
    main(Path("_build/html"), Path("_build/course.pdf"))
