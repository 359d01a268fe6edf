// The batch that the reader composes: the image shown, and its neighbours.
import { paint, picture } from "./drawing.js";
import { button, element, group, labelled, row, say } from "./elements.js";

const LARGEST = 64;

export class Batch {
  #shown = picture([]);
  #list = element("div", { className: "live-batch" });
  #status = element("p", { role: "status", className: "live-note" });

  constructor({ classes, garments }, set, update) {
    const offers = {
      "one garment of each class": () =>
        classes.map((_, label) => garments.find((garment) => garment.label === label)),
      "the image shown": () => [{ ...set.shown, pixels: set.shown.pixels.slice() }],
      ...Object.fromEntries(classes.map((name, label) => [
        `class ${name}`, () => garments.filter((garment) => garment.label === label),
      ])),
    };
    const offer = element("select", {}, ...Object.keys(offers).map((name) =>
      element("option", {}, name)));

    const fill = (neighbours) => {
      set.neighbours = neighbours.filter(Boolean).slice(0, LARGEST - 1);
      const thumbs = set.neighbours.map((image, index) =>
        button(picture(image.pixels), () => {
          fill(set.neighbours.toSpliced(index, 1));
          (this.#list.children[index + 1] ?? offer).focus();
        }, { className: "live-thumb", "aria-label": `Take out ${image.name}`, title: "Take out" }));
      this.#list.replaceChildren(this.#shown, ...thumbs);
      update();
    };

    this.#shown.className = "live-thumb";
    fill(set.neighbours);
    this.element = group("The batch", this.#status, this.#list,
      row(
        labelled("Add", offer),
        button("Add to the batch", () => fill([...set.neighbours, ...offers[offer.value]()])),
        button("Take all out", () => fill([])),
      ),
    );
  }

  show({ shown, training, neighbours }) {
    const count = neighbours.length;
    paint(this.#shown, shown.pixels);
    this.#list.classList.toggle("live-idle", !training);
    say(this.#status, [
      count ? `The image shown and ${count} beside it.` : "The image shown is alone.",
      count ? "Press a neighbour to take it out." : "",
      count + 1 === LARGEST ? "The batch is full." : "",
      training ? "" : "In inference mode the batch makes no difference.",
    ].filter(Boolean).join(" "));
  }
}
