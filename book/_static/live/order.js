// The units of a layer in the order of their influence on what the network says of the image shown.
import { button, element, note, row, say } from "./elements.js";
import { influences, scaled } from "./prediction.js";

const SLICE = 10;   // milliseconds of computing before the page may do something else
const REST = 250;   // milliseconds without a change before anything is computed
const MOST = 6;

const points = (share) => `${(100 * share).toFixed(1)} points`;

export class Order {
  #choose;
  #about = note();
  #buttons = row();
  #computed = "";
  #neighbours = null;
  #waiting;
  #order = [];      // units, from the most influential to the least
  #influence = [];  // of each unit
  #unit = 0;        // the one chosen

  // Call back with the unit that a reader chooses.
  constructor(choose) {
    this.#choose = choose;
    this.element = element("div", { className: "live-order" }, this.#about, this.#buttons);
  }

  // Order the units of a network's layer for an image, unless they are in that order already.
  show(network, place, { shown, training, neighbours }, unit) {
    this.#unit = unit;
    const wanted = [network.name, place, training, shown.pixels.join()].join(" ");
    const besides = training ? neighbours : null;
    if (wanted === this.#computed && besides === this.#neighbours) return this.#tell();
    [this.#computed, this.#neighbours] = [wanted, besides];
    clearTimeout(this.#waiting);
    this.#order = [];
    say(this.#about, "Ordering the units by their influence …");
    const batch = (training ? [shown, ...neighbours] : [shown]).map(({ pixels }) => scaled(pixels));
    const found = [];
    const unitByUnit = influences(network, batch, training, place);
    const compute = () => {
      const end = performance.now() + SLICE;
      while (performance.now() < end) {
        const { value, done } = unitByUnit.next();
        if (done) return this.#ordered(found);
        found.push(value);
      }
      this.#waiting = setTimeout(compute);
      return undefined;
    };
    this.#waiting = setTimeout(compute, REST);
    return undefined;
  }

  #ordered(influence) {
    this.#influence = influence;
    this.#order = influence.map((_, index) => index)
      .sort((one, other) => influence[other] - influence[one]);
    this.#buttons.replaceChildren(...this.#order.slice(0, MOST).map((index) =>
      button(`Unit ${index + 1}: ${points(influence[index])}`, () => this.#choose(index))));
    this.#tell();
  }

  #tell() {
    if (!this.#order.length) return;
    const unit = this.#unit;
    const place = this.#order.indexOf(unit) + 1;
    say(this.#about, "With gamma 0, these units would move a probability most. Unit " +
      `${unit + 1} would move one by ${points(this.#influence[unit])}: place ${place} of ` +
      `${this.#order.length}.`);
  }
}
