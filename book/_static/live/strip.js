// A strip of test garments, and what each network takes them for while it learns.
import { picture } from "./drawing.js";
import { element, mark, scrolling, swatch } from "./elements.js";

export class Strip {
  #classes;
  #body = element("tbody");
  #cells = [];
  #swatches = [];

  constructor(classes, { pixels, labels }) {
    this.#classes = classes;
    this.labels = labels;
    const heads = [...labels].map((label, place) =>
      element("th", { scope: "col" }, picture(pixels.subarray(784 * place, 784 * (place + 1))),
        element("span", {}, classes[label])));
    this.element = element("section", { "aria-label": "Test garments", className: "live-garments" },
      element("h2", {}, "What they take ten test garments for"),
      scrolling(element("table", {},
        element("caption", { className: "live-spoken" },
          "Each network's answer for ten garments that it is not trained on"),
        element("thead", {}, element("tr", {}, element("td"), ...heads)),
        this.#body)));
  }

  // Make a row for each network.
  begin(shown) {
    this.#cells = shown.map(() => [...this.labels].map(() => element("td")));
    this.#swatches = shown.map(swatch);
    this.#body.replaceChildren(...shown.map(({ title }, place) =>
      element("tr", {}, element("th", { scope: "row" }, this.#swatches[place], title),
        ...this.#cells[place])));
    this.draw(shown);
  }

  draw(shown) {
    shown.forEach(({ session, ...line }, place) => {
      mark(this.#swatches[place], line);
      session.report?.probabilities.forEach((shares, garment) => {
        const answer = shares.indexOf(Math.max(...shares));
        const right = answer === this.labels[garment];
        const cell = this.#cells[place][garment];
        const text = `${right ? "✓" : "✗"} ${this.#classes[answer] ?? "nothing"} ` +
          `${Math.round(100 * shares[answer]) || 0}%`;
        if (cell.textContent !== text) cell.textContent = text;
        cell.className = right ? "live-right" : "live-wrong";
      });
    });
  }
}
