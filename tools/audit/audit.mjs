// Measure every page of a built site from a plain static server: `make audit`.
//
// Lighthouse (mobile preset) in the system's Chromium, and the Nu HTML checker. Prints a table
// in Markdown and ends with 1 if a page misses what the course promises. Scores for speed
// depend on the machine and on what else it does, so this is no test.
import { spawnSync } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, relative } from "node:path";
import { launch } from "chrome-launcher";
import lighthouse from "lighthouse";

const KIB = 1024;
const LIMIT = 350 * KIB; // of a lesson's first view
const TYPES = {
  ".html": "text/html", ".css": "text/css", ".js": "text/javascript",
  ".svg": "image/svg+xml", ".png": "image/png", ".woff": "font/woff",
};
const CATEGORIES = ["performance", "accessibility", "best-practices", "seo"];

// Errors that our content and extensions do not cause, each with where it is reported.
const THEME = [];

const site = process.argv[2];
const chosen = process.argv.slice(3);
const pages = readdirSync(site, { recursive: true })
  .filter((path) => path.endsWith(".html") && !path.startsWith("_"))
  .sort();

const server = createServer((request, response) => {
  const path = join(site, decodeURIComponent(new URL(request.url, "http://site").pathname));
  try {
    const body = readFileSync(path);
    const type = TYPES[extname(path)] ?? "application/octet-stream";
    response.writeHead(200, { "content-type": type, "content-length": body.length }).end(body);
  } catch {
    response.writeHead(404).end();
  }
});
await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
const origin = `http://127.0.0.1:${server.address().port}/`;

const browser = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]
  .map((name) => spawnSync("which", [name], { encoding: "utf8" }).stdout.trim())
  .find(Boolean);
if (!browser) {
  console.error("There is no Chromium; install it (on Debian and Ubuntu: apt install chromium).");
  process.exit(1);
}
const flags = ["--headless=new", "--disable-gpu", "--disable-background-networking"];
if (process.getuid() === 0) flags.push("--no-sandbox");
const chrome = await launch({ chromePath: browser, chromeFlags: flags });

const misses = [];
console.log(`| page | ${CATEGORIES.join(" | ")} | KiB | requests | layout shift | LCP |`);
console.log("|---|---|---|---|---|---|---|---|---|");
for (const page of pages) {
  // A page for a wrong address has no address of its own, and is told not to be found.
  if (page === "404.html" || (chosen.length && !chosen.includes(page))) continue;
  const { lhr } = await lighthouse(origin + page, { port: chrome.port, logLevel: "error" });
  const scores = CATEGORIES.map((name) => Math.round(100 * lhr.categories[name].score));
  const requests = lhr.audits["network-requests"].details.items
    .filter((item) => !item.url.startsWith("data:"));
  // Chromium asks for a picture below the fold with a low priority.
  const bytes = requests
    .filter((item) => !(item.resourceType === "Image" && /Low/.test(item.priority)))
    .reduce((sum, item) => sum + item.transferSize, 0);
  const shift = lhr.audits["cumulative-layout-shift"].numericValue;
  const paint = lhr.audits["largest-contentful-paint"].displayValue;
  console.log(`| ${page} | ${scores.join(" | ")} | ${Math.round(bytes / KIB)} | ` +
    `${requests.length} | ${shift.toFixed(4)} | ${paint} |`);
  const miss = (what) => misses.push(`${page}: ${what}`);
  CATEGORIES.forEach((name, index) => {
    // The search and the page for a wrong address ask search engines to leave them out.
    const least = name === "performance" ? 95 : name === "seo" && page === "search.html" ? 0 : 100;
    if (scores[index] < least) miss(`${name} is ${scores[index]}, less than ${least}.`);
  });
  if (page.startsWith("lessons/") && bytes > LIMIT) {
    miss(`its first view is ${Math.ceil(bytes / KIB)} KiB, more than ${LIMIT / KIB}.`);
  }
  if (shift >= 0.01) miss(`its layout shifts by ${shift.toFixed(4)}.`);
  for (const item of requests) {
    if (!item.url.startsWith(origin)) miss(`it asks another host: ${item.url}`);
  }
}
chrome.kill();
server.close();

const jar = join(import.meta.dirname, "node_modules/vnu-jar/build/dist/vnu.jar");
const checked = spawnSync(
  "java",
  ["-jar", jar, "--format", "json", "--exit-zero-always", ...pages.map((page) => join(site, page))],
  { encoding: "utf8", maxBuffer: 1 << 28 },
);
const errors = JSON.parse(checked.stderr).messages.filter((message) => message.type === "error");
for (const { url, lastLine, message, extract } of errors) {
  if (THEME.some((known) => message.includes(known))) continue;
  misses.push(`${relative(site, new URL(url).pathname)}:${lastLine}: ${message} ${extract ?? ""}`);
}
console.log(`\nNu HTML checker: ${errors.length} errors on ${pages.length} pages.`);
for (const miss of misses) console.error(miss.replaceAll("\n", " "));
process.exit(misses.length ? 1 : 0);
