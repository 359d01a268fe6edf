// The page of the networks: loads them when asked, and lets its parts know each other.
import { Answer } from "./answer.js";
import { Batch } from "./batch.js";
import { Choice } from "./choice.js";
import { button, element, note, word } from "./elements.js";
import { take, YOURS } from "./handing.js";
import { load } from "./loading.js";
import { Mode } from "./mode.js";
import { changed, predict, scaled } from "./prediction.js";
import { Unit } from "./unit.js";

for (const place of document.querySelectorAll('[data-live="networks"]')) {
  const printed = element("div", { className: "live-printed" }, ...place.childNodes);
  const status = element("p", { role: "status" });
  const bar = element("progress", { hidden: true, "aria-label": "Loading" });
  const start = button(`Load the ${word(Number(place.dataset.count))} networks`, async () => {
    start.disabled = true;
    bar.hidden = false;
    bar.value = 0;
    status.textContent = "The networks are on their way …";
    try {
      const address = new URL(place.dataset.contents, document.baseURI);
      const course = await load(address, (share) => { bar.value = share; });
      const handed = await take();
      if (handed) course.networks.push({ ...handed, own: true });
      place.replaceChildren(printed, ...page(course));
      place.querySelector("input:checked").focus({ preventScroll: true });
    } catch (error) {
      bar.hidden = true;
      start.disabled = false;
      start.textContent = "Load them once more";
      status.textContent = `The networks could not be loaded. ${error.message}`;
      start.focus();
    }
  });
  place.append(
    printed,
    element("div", { className: "live-start" },
      start,
      note(`${place.dataset.size} MiB. All is computed in your browser, and nothing is sent.`),
      bar,
      status,
    ),
  );
  if (location.hash === `#${YOURS}`) {
    place.scrollIntoView();
    start.click();
  }
}

// Return what the page shows. Each part changes what is set, and shows it when it is asked to.
function page(course) {
  // Begin where the networks differ most: with a garment that they disagree on, beside one of
  // each class in training mode.
  const disputed = course.garments.find(({ kind }) => kind === "disputed");
  const set = { shown: disputed ?? course.garments[0], training: true, unit: null,
    neighbours: course.classes.map((_, label) =>
      course.garments.find((garment) => garment.label === label)).filter(Boolean) };
  let waiting = false;
  // What is computed anew, but once for each picture on the screen.
  function update() {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      const trained = course.networks.map((network) => judged(network, { ...set, unit: null }));
      const probabilities = set.unit
        ? course.networks.map((network) => judged(network, set)) : trained;
      parts.forEach((part) => part.show?.(set, probabilities, trained));
    });
  }
  const parts = [Choice, Mode, Answer, Batch, Unit].map((Part) => new Part(course, set, update));
  update();
  return parts.map((part) => part.element);
}

// Return the ten probabilities that a network, with the reader's unit, gives the image shown.
function judged(network, { shown, training, neighbours, unit }) {
  const batch = training ? [shown, ...neighbours] : [shown];
  const present = unit?.name === network.name ? changed(network, unit) : network;
  return [...predict(present, batch.map(({ pixels }) => scaled(pixels)), training)[0]];
}
