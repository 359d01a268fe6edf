// What the networks are shown: a garment of the strip, or the reader's drawing.
import { Drawing, picture } from "./drawing.js";
import { button, element, group, note, row, spoken, word } from "./elements.js";
import { Gallery } from "./gallery.js";

const kinds = (count) => ({
  recognized: `All ${word(count)} are right`,
  disputed: "They disagree",
  mistaken: `All ${word(count)} make the same mistake`,
});

export class Choice {
  #gallery;

  constructor(course, set, update) {
    const { classes, garments, networks } = course;
    const named = kinds(networks.filter(({ own }) => !own).length);
    const drawing = new Drawing(update);
    let last = set.shown;

    const board = element("div", { className: "live-board", hidden: true },
      drawing.canvas,
      element("div", {},
        note("Draw with a finger or a mouse. Or with the keyboard: the arrow keys move the ",
          "orange point, the space bar draws there, Shift with an arrow draws a line, and ",
          "Backspace rubs out."),
        row(
          button("Copy the last garment", () => drawing.set(last.pixels)),
          button("Clear the drawing", () => drawing.set(new Uint8Array(last.pixels.length))),
        ),
      ),
    );

    function option(image, look, className) {
      const radio = element("input", {
        type: "radio",
        name: "live-garment",
        checked: image === set.shown,
        onchange() {
          board.hidden = image !== drawing;
          if (image !== drawing) last = image;
          set.shown = image;
          update();
        },
      });
      return element("label", { className }, radio, look, spoken(image.name));
    }

    function strip(kind) {
      const ofKind = garments.filter((garment) => garment.kind === kind);
      const thumbs = ofKind.map((garment) => {
        const thumb = option(garment, picture(garment.pixels), "live-thumb");
        thumb.title = classes[garment.label];
        // One for each class, or on a phone for two.
        thumb.style.setProperty("--column", garment.label + 1);
        thumb.style.setProperty("--column-of-five", (garment.label % 5) + 1);
        return thumb;
      });
      return [note(named[kind]), element("div", { className: "live-strip" }, ...thumbs)];
    }

    this.#gallery = new Gallery(course, named, option);
    const pencil = element("span", { "aria-hidden": "true" }, "✎ Draw your own");
    this.element = group("A garment",
      ...Object.keys(named).flatMap(strip),
      this.#gallery.element,
      option(drawing, pencil, "live-segment"),
      board,
    );
  }

  show(set) {
    this.#gallery.show(set);
  }
}
