// The place of a training: a button, until someone wants to train. Then comes the laboratory.
import { button, element, note } from "./elements.js";

async function open(place, printed, playing) {
  const version = new URL(import.meta.url).search;
  const { Laboratory } = await import(`./laboratory.js${version}`).catch(() => {
    throw new Error("The server cannot be reached: is this device connected?");
  });
  const laboratory = new Laboratory(place.dataset);
  place.replaceChildren(printed, laboratory.element);
  await laboratory.begin(playing);
}

for (const place of document.querySelectorAll('[data-live="train"]')) {
  const printed = element("div", { className: "live-printed" }, ...place.childNodes);
  const status = element("p", { role: "status" });
  const sizes = JSON.parse(place.dataset.sizes);
  const begin = async (playing) => {
    start.disabled = true;
    try {
      await open(place, printed, playing);
    } catch (error) {
      start.disabled = false;
      status.textContent = `The training could not be loaded. ${error.message}`;
    }
  };
  const start = button("Train", () => begin(true), { className: "live-button live-main" });
  const [count] = Object.keys(sizes);
  place.append(printed, element("div", { className: "live-start" },
    element("div", { className: "live-row live-centred" },
      start, ...("with" in place.dataset ? [] : [button("Choose first", () => begin(false))])),
    note(`${Number(count).toLocaleString("en")} images come first, ` +
      `${(sizes[count] / 2 ** 20).toFixed(1)} MiB. All is computed in your browser, and nothing ` +
      "is sent."),
    status));
  if ("with" in place.dataset) continue;
  // An address that says what to train is one that somebody has chosen.
  const look = () => {
    if (!start.disabled && location.hash.includes("=")) begin(false);
  };
  window.addEventListener("hashchange", () => {
    look();
    if (location.hash.includes("=")) place.scrollIntoView();
  });
  look();
}
