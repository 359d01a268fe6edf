// A network's training: which images come when, and what the page is told of it. Knows of no
// page; tests run it in Node.
import { Network } from "./network.js";
import { Random } from "./random.js";

const ORDER = 1;  // the stream of a seed's random numbers that the orders come from

export class Training {
  #random;
  #order;
  #place = 0;

  // Train on a part: `pixels` (bytes, one image after the other) and `labels`. Beside what a
  // network needs, the recipe says whether the `order` of the images is "fresh" in each epoch or
  // the "same", and how many `epochs` there are; `about` is what else the network is made with.
  constructor(recipe, part, kernels, about = {}) {
    this.recipe = recipe;
    this.part = part;
    this.network = new Network(recipe, kernels, about);
    this.step = 0;
    this.steps = Math.ceil(part.labels.length / recipe.batch) * recipe.epochs;
    this.diverged = false;
    this.#random = Random.of(recipe.seed, ORDER);
    this.#order = this.#random.permutation(part.labels.length);
  }

  get finished() {
    return this.diverged || this.step >= this.steps;
  }

  // The epochs trained so far, with the part of the present one.
  get epoch() {
    return (this.step * this.recipe.epochs) / this.steps;
  }

  // The places of the next batch's images; the last batch of an epoch may be smaller.
  next() {
    if (this.#place >= this.#order.length) {
      this.#place = 0;
      if (this.recipe.order === "fresh") {
        this.#order = this.#random.permutation(this.#order.length);
      }
    }
    return this.#order.subarray(this.#place, (this.#place += this.recipe.batch));
  }

  // Do a step, and return the batch's mean loss and the share of its images that were right.
  // Once a loss is infinite or NaN the network has diverged, and is not trained any more.
  advance(measured = false) {
    const places = this.next();
    const { loss, right } = this.network.step(this.part, places, measured);
    this.step += 1;
    this.diverged = !Number.isFinite(loss);
    return { loss, accuracy: right / places.length };
  }
}
