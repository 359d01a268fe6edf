"""Print the built site as one PDF, with an outline and page numbers: `make pdf`.

The pages are put together in one document first, so that their links, their formulas and the
numbers below the pages go through from the first to the last.
"""

from __future__ import annotations

import base64
import functools
import http.server
import os
import shutil
import sys
import threading
from pathlib import Path
from urllib.parse import quote

import yaml
from playwright.sync_api import sync_playwright
from pypdf import PdfWriter
from pypdf.generic import NameObject, TextStringObject

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

# The pages in the order of the contents, whatever these are made of: each names the next.
LIST = """async () => {
  const root = new URL(document.documentElement.dataset.content_root, document.baseURI);
  const names = [];
  for (let address = new URL(location.pathname, root); address;) {
    names.push(decodeURI(address.pathname.slice(root.pathname.length)).replace(/\\.html$/, ""));
    const text = await (await fetch(address)).text();
    const page = new DOMParser().parseFromString(text, "text/html");
    const next = page.querySelector('head link[rel="next"]')?.getAttribute("href");
    address = next && new URL(next, address);
  }
  return names;
}"""

# What scripts draw on a page; they do not run in the printed document.
DRAWN = "article.bd-article .cell_output:has(script)"

# Whatever folds, by itself or by a script.
UNFOLD = """() => {
  for (const tag of document.querySelectorAll("details")) tag.open = true;
  dispatchEvent(new Event("beforeprint"));
}"""

# An id, and a link to it, get the name of the page before them.
GATHER = """async ({ names, drawn, pictures }) => {
  const article = document.querySelector("article.bd-article");
  const parts = await Promise.all(names.map(async name => {
    const address = new URL(`${encodeURI(name)}.html`, document.baseURI);
    const page = new DOMParser().parseFromString(await (await fetch(address)).text(), "text/html");
    const part = page.querySelector("article.bd-article");
    page.querySelectorAll(drawn).forEach((output, index) => {
      if (!pictures[name][index]) return;
      const picture = page.createElement("img");
      picture.src = pictures[name][index].source;
      picture.style.width = `${pictures[name][index].width}px`;
      output.replaceChildren(picture);
    });
    const at = (name, id) => `${name.replaceAll("/", "-")}--${id}`;
    for (const tag of part.querySelectorAll("[id]")) tag.id = at(name, tag.id);
    part.id = at(name, "");
    for (const link of part.querySelectorAll("a[href]")) {
      const to = new URL(link.getAttribute("href"), address);
      const leadsTo = name =>
        new URL(`${encodeURI(name)}.html`, document.baseURI).pathname === to.pathname;
      const other = names.find(leadsTo);
      link.href = other ? `#${at(other, to.hash.slice(1))}` : to.href;
    }
    for (const picture of part.querySelectorAll("img")) picture.loading = "eager";
    for (const name of ["src", "poster", "data"])
      for (const tag of part.querySelectorAll(`[${name}]`))
        tag.setAttribute(name, new URL(tag.getAttribute(name), address).href);
    for (const sheet of part.querySelectorAll("link[href]"))
      sheet.href = new URL(sheet.getAttribute("href"), address).href;
    for (const tag of part.querySelectorAll("details")) tag.open = true;
    for (const tag of part.querySelectorAll(".headerlink")) tag.remove();
    part.classList.add("printed-page");
    return part;
  }));
  article.replaceWith(...parts);
  document.querySelectorAll(".onlyprint").forEach(tag => tag.remove());
  await Promise.all([...document.images].map(picture => picture.decode().catch(() => {})));
  await document.fonts.ready;
  // A table that is wider than the paper becomes smaller, for nobody can scroll there.
  for (const table of document.querySelectorAll(".printed-page table")) {
    const article = table.closest(".printed-page").getBoundingClientRect();
    const { left, right } = table.getBoundingClientRect();
    const fits = (article.right - left) / (right - left);
    if (fits < 1) table.style.zoom = 0.94 * fits;  // lines are laid out a little wider there
  }
  return [...document.querySelectorAll(".printed-page :is(h1, h2, h3, h4, h5, h6)")]
    .filter(heading => heading.checkVisibility())
    .map(heading => heading.textContent.replaceAll(/\\s+/g, " ").trim());
}"""

# The theme prints a title and a list of contents of its own before each page.
STYLE = """
.printed-page + .printed-page { break-before: page; }
.printed-page h1 { display: block !important; }
.printed-page h2 { font-size: 1.5rem; }
"""

SCALE, MARGIN = 0.8, 18
"""Of the print, and in millimetres."""

WIDTH = round((210 - 2 * MARGIN) / 25.4 * 96 / SCALE)
"""Of the text on A4, in the browser's pixels."""

FOOTER = """<div style="font: 8px sans-serif; width: 100%; text-align: center">
<span class="pageNumber"></span> / <span class="totalPages"></span></div>"""


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves files and says nothing about it."""

    def log_message(self, *_args):
        pass


def put_titles(file, titles):
    """Give the outline's entries the headings' words.

    Chromium writes a heading twice if it had to move it to the next page, and loses the space
    where it broke a line.
    """

    def entries(first):
        while first is not None:
            entry = first.get_object()
            yield entry
            yield from entries(entry.get("/First"))
            first = entry.get("/Next")

    writer = PdfWriter(clone_from=file)
    outline = list(entries(writer.root_object["/Outlines"].get("/First")))
    if len(outline) != len(titles):
        sys.exit(f"The outline has {len(outline)} entries, but there are {len(titles)} headings.")
    for entry, title in zip(outline, titles, strict=True):
        entry[NameObject("/Title")] = TextStringObject(title)
    writer.add_metadata({"/Title": titles[0]})
    writer.write(file)


def draw(page, address):
    """Return pictures of what scripts draw on a page, as addresses that hold them.

    In the place of an output that shows nothing stands None.
    """
    text = page.request.get(address).text()
    if "<script" not in text.partition("<article")[2].partition("</article>")[0]:
        return []
    page.goto(address, wait_until="networkidle")
    page.evaluate(UNFOLD)
    pictures = []
    for output in page.locator(DRAWN).all():
        if not output.is_visible():
            pictures.append(None)
            continue
        output.scroll_into_view_if_needed()
        png = base64.b64encode(output.screenshot(animations="disabled")).decode()
        width = output.bounding_box()["width"]
        pictures.append({"source": f"data:image/png;base64,{png}", "width": width})
    return pictures


def main(site, file):
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        sys.exit("There is no Chromium; install it (on Debian and Ubuntu: apt install chromium).")
    if not (site / "index.html").is_file():
        sys.exit(f"There is no site in {site}; run `make site` first.")
    contents = yaml.safe_load(Path("_toc.yml").read_text("utf-8"))
    root = next(
        path
        for path in (contents["root"], Path(contents["root"]).stem)
        if (site / f"{path}.html").is_file()
    )
    handler = functools.partial(Quiet, directory=str(site))
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    with (
        http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server,
        sync_playwright() as playwright,
    ):
        threading.Thread(target=server.serve_forever, daemon=True).start()
        chromium = playwright.chromium.launch(executable_path=browser, args=sandbox)
        # Less motion, for nothing may be printed while it fades in.
        page = chromium.new_page(color_scheme="light", reduced_motion="reduce", bypass_csp=True)
        address = f"http://127.0.0.1:{server.server_port}/"
        page.goto(f"{address}{root}.html")
        names = page.evaluate(LIST)
        pictures = {name: draw(page, f"{address}{quote(name)}.html") for name in names}
        page.goto(f"{address}{root}.html")
        page.emulate_media(media="print")
        page.set_viewport_size({"width": WIDTH, "height": 1000})
        page.add_style_tag(content=STYLE)
        titles = page.evaluate(GATHER, {"names": names, "drawn": DRAWN, "pictures": pictures})
        page.pdf(
            path=file,
            format="A4",
            scale=SCALE,
            margin=dict.fromkeys(("top", "right", "bottom", "left"), f"{MARGIN}mm"),
            print_background=True,
            display_header_footer=True,
            header_template="<span></span>",
            footer_template=FOOTER,
            outline=True,
            tagged=True,
        )
        chromium.close()
        server.shutdown()
    put_titles(file, titles)
    print(f"The course is printed: {file}")


if __name__ == "__main__":
    paths = [Path(path) for path in sys.argv[1:]] or [
        Path("_build/html"),
        Path("_build/course.pdf"),
    ]
    main(*paths)
