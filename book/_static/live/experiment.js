// The place of an experiment: what its author wrote of it, and a link that sets it up on the page
// of the training.
import { element } from "./elements.js";

for (const place of document.querySelectorAll('[data-live="experiment"]')) {
  const href = `${place.dataset.page}#${place.dataset.with}`;
  place.append(element("a", { href, className: "live-button live-link" }, "Set it up"));
}
