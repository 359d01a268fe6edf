// A network of any structure that the page offers, its training step and its predictions: what
// Keras computes with the layers Dense, BatchNormalization, ReLU or LeakyReLU, and with
// SGD(learning_rate, weight_decay=decay). Knows of no page; tests run it in Node.
//
// A recipe has
//   hidden         widths of the hidden layers
//   normalization  "none", "after" or "before" the activation of each hidden layer
//   pixels         "raw", "standardized" by constants, or "normalized" by the batch
//   activation     "relu" or "leaky_relu", with the slope 0.3
//   initializer    "glorot_uniform" or "he_normal" (truncated, as Keras's) of the hidden layers;
//                  the output layer's is Glorot's
//   scale          a factor of all initial weights
//   batch, rate    images a step, and the learning rate
//   decay          each step multiplies all that is trained by 1 - rate · decay, as Keras's SGD
//                  does; to SGD that is a penalty of decay / 2 times the squares
//   momentum       of the moving averages
//   seed           of the initial weights and of the order of the batches
import { exp, log } from "./elementary.js";
import { Random } from "./random.js";

export const EPSILON = 1e-3;
const SMALLEST = 1e-7;  // deviation of a pixel that Keras's layer Normalization divides by
const SLOPES = { relu: 0, leaky_relu: 0.3 };
// The deviation of a normal number among those up to two deviations, as Keras corrects it.
const TRUNCATED = 0.87962566103423978;
const EVALUATED_AT_ONCE = 200;

const padded = (width) => 8 * Math.ceil(width / 8);

export class Network {
  // Make a network with its initial weights. Standardized pixels need their `moments`: `mean` and
  // `variance` of each.
  constructor(recipe, kernels, { inputs = 784, classes = 10, moments = null } = {}) {
    const widths = [...recipe.hidden, classes];
    const rows = Math.max(recipe.batch, EVALUATED_AT_ONCE);
    const widest = padded(Math.max(inputs, ...widths));
    this.recipe = recipe;
    this.inputs = inputs;
    this.classes = classes;
    this.rows = rows;
    this.lastRows = 0;
    this.kernels = kernels;
    this.slope = SLOPES[recipe.activation];
    this.bytes = Float64Array.from({ length: 256 }, (_, value) => Math.fround(value / 255));
    this.sums = kernels.reserve(widest);
    this.dgamma = kernels.reserve(widest);
    this.dbeta = kernels.reserve(widest);
    this.x = kernels.reserve(rows * padded(inputs));
    // What the first dense layer gets of the pixels.
    this.first = this.x;
    this.norm = null;
    if (recipe.pixels === "normalized") {
      this.norm = this.#normalization(inputs, rows);
      this.first = this.norm.y;
    }
    if (recipe.pixels === "standardized") this.#standardize(moments);
    this.layers = widths.map((outputs, place) => {
      const width = padded(outputs);
      const before = place ? widths[place - 1] : inputs;
      const hidden = place < recipe.hidden.length;
      const normalized = hidden && recipe.normalization !== "none";
      const norm = normalized ? this.#normalization(outputs, rows) : null;
      const a = hidden ? kernels.reserve(rows * width) : 0;
      return {
        inputs: before,
        outputs,
        rowWidth: padded(before),
        width,
        w: kernels.reserve(padded(before) * width),
        // The normalization that follows at once has its own shift.
        biased: !hidden || recipe.normalization !== "before",
        b: kernels.reserve(width),
        z: kernels.reserve(rows * width),
        a,
        norm,
        // What the next layer gets.
        out: recipe.normalization === "after" && norm ? norm.y : a,
        d: kernels.reserve(rows * width),
        gradient: 0,
      };
    });
    this.#draw(Random.of(recipe.seed));
  }

  #normalization(outputs, rows) {
    const width = padded(outputs);
    const vectors = ["gamma", "beta", "mean", "variance", "batchMean", "batchVariance", "inverse"];
    const places = vectors.map((name) => [name, this.kernels.reserve(width)]);
    const norm = { outputs, width, ...Object.fromEntries(places) };
    norm.n = this.kernels.reserve(rows * width);
    norm.y = this.kernels.reserve(rows * width);
    for (const name of ["gamma", "variance"]) {
      this.kernels.floats.fill(1, norm[name], norm[name] + outputs);
    }
    return norm;
  }

  // Divide by the deviation, as Keras's layer Normalization does: no epsilon is added.
  #standardize({ mean, variance }) {
    const width = padded(this.inputs);
    const [middle, inverse, gamma, beta] = [0, 1, 2, 3].map(() => this.kernels.reserve(width));
    this.standard = { middle, inverse, gamma, beta };
    for (let i = 0; i < this.inputs; i += 1) {
      this.kernels.floats[middle + i] = mean[i];
      this.kernels.floats[inverse + i] = 1 / Math.max(Math.sqrt(variance[i]), SMALLEST);
      this.kernels.floats[gamma + i] = 1;
    }
  }

  #standardization() {
    const { middle, inverse } = this.standard;
    const vector = (place) => Array.from(this.kernels.floats.slice(place, place + this.inputs));
    const inverses = vector(inverse);
    return {
      kind: "normalization",
      fixed: true,
      width: this.inputs,
      epsilon: 0,
      gamma: inverses.map(() => 1),
      beta: inverses.map(() => 0),
      mean: vector(middle),
      variance: inverses.map((value) => 1 / value ** 2),
    };
  }

  #draw(random) {
    const { initializer, scale } = this.recipe;
    this.layers.forEach((layer, place) => {
      const he = initializer === "he_normal" && place < this.layers.length - 1;
      const size = he
        ? Math.sqrt(2 / layer.inputs) / TRUNCATED
        : Math.sqrt(6 / (layer.inputs + layer.outputs));
      for (let i = 0; i < layer.inputs; i += 1) {
        for (let j = 0; j < layer.outputs; j += 1) {
          const drawn = he ? random.truncatedNormal() : 2 * random.uniform() - 1;
          this.kernels.floats[weight(layer, i, j)] = drawn * size * scale;
        }
      }
    });
  }

  // Learn from the images at some places of a part, which has `pixels` (bytes) and `labels`.
  // Return the batch's mean loss and the number of its images that were right before the step.
  // If it is measured, each layer keeps the norm of its weights' gradient.
  step(part, places, measured = false) {
    const { kernels: k, recipe, layers } = this;
    const rows = places.length;
    const [rate, shrink] = [recipe.rate, 1 - recipe.rate * recipe.decay];
    this.#take(part, places);
    this.#forward(rows, true);
    for (const norm of this.#norms()) {
      const rest = 1 - recipe.momentum;
      k.average(norm.mean, norm.batchMean, norm.width, recipe.momentum, rest);
      k.average(norm.variance, norm.batchVariance, norm.width, recipe.momentum, rest);
    }
    const outcome = this.#loss(part, places);
    for (let place = layers.length - 1; place >= 0; place -= 1) {
      const layer = layers[place];
      const { w, b, d, width, rowWidth } = layer;
      if (place < layers.length - 1) this.#activationBack(layer, rows);
      if (place > 0) k.transposed(d, w, layers[place - 1].d, rows, rowWidth, width);
      k.sums(d, this.sums, rows, width);
      if (layer.biased) k.updateVector(b, this.sums, width, rate, shrink);
      const squares = place === 0 && this.norm
        ? k.updateNormalized(this.norm.n, d, this.sums, w, this.norm.gamma, this.norm.beta,
          rows, rowWidth, width, rate, shrink, measured)
        : k.update(place ? layers[place - 1].out : this.first, d, w,
          rows, rowWidth, width, rate, shrink, measured);
      if (measured) layer.gradient = Math.sqrt(squares);
    }
    return outcome;
  }

  // Return the mean loss of a part and the share of its images that are right; in training mode
  // each batch is normalized by itself, and nothing is learned.
  evaluate(part, { training = false, batch = EVALUATED_AT_ONCE } = {}) {
    let [loss, right] = [0, 0];
    const count = part.labels.length;
    const size = Math.min(batch, this.rows);
    for (let from = 0; from < count; from += size) {
      const places = indices(from, Math.min(size, count - from));
      this.#take(part, places);
      this.#forward(places.length, training);
      const outcome = this.#loss(part, places);
      loss += outcome.loss * places.length;
      right += outcome.right;
    }
    return { loss: loss / count, accuracy: right / count };
  }

  // Return a row of classes' numbers for each image of a small part: logits, or probabilities.
  logits(part, training = false) {
    const places = indices(0, part.pixels.length / this.inputs);
    this.#take(part, places);
    this.#forward(places.length, training);
    const { z, width } = this.layers.at(-1);
    return Array.from(places, (row) =>
      [...this.kernels.floats.slice(z + row * width, z + row * width + this.classes)]);
  }

  probabilities(part, training = false) {
    return this.logits(part, training).map((row) => {
      const largest = Math.max(...row);
      const powers = row.map((logit) => exp(logit - largest));
      const sum = powers.reduce((total, power) => total + power, 0);
      return powers.map((power) => power / sum);
    });
  }

  // Return all numbers of the network, in the order of Keras's layers: kernels row by row. Pixels
  // that are standardized come as a normalization that is fixed.
  parameters() {
    const { floats } = this.kernels;
    const vector = (place, width) => Array.from(floats.slice(place, place + width));
    const normalization = (norm) => ({
      kind: "normalization",
      width: norm.outputs,
      epsilon: EPSILON,
      ...Object.fromEntries(["gamma", "beta", "mean", "variance"].map((name) =>
        [name, vector(norm[name], norm.outputs)])),
    });
    const layers = this.norm ? [normalization(this.norm)] : [];
    if (this.standard) layers.push(this.#standardization());
    const { normalization: where } = this.recipe;
    this.layers.forEach((layer, place) => {
      const { inputs, outputs, biased } = layer;
      const kernel = [];
      for (let i = 0; i < inputs; i += 1) {
        for (let j = 0; j < outputs; j += 1) kernel.push(floats[weight(layer, i, j)]);
      }
      layers.push({
        kind: "dense", inputs, outputs, kernel, bias: biased ? vector(layer.b, outputs) : null,
      });
      if (place === this.layers.length - 1) return;
      const activation = { kind: "relu", slope: this.slope };
      if (where === "before") layers.push(normalization(layer.norm));
      layers.push(activation);
      if (where === "after") layers.push(normalization(layer.norm));
    });
    return layers;
  }

  // Return the norm of each dense layer's weights.
  norms() {
    return this.layers.map(({ w, rowWidth, width }) => {
      const weights = this.kernels.floats.subarray(w, w + rowWidth * width);
      return Math.sqrt(weights.reduce((sum, value) => sum + value * value, 0));
    });
  }

  #norms() {
    return [this.norm, ...this.layers.map(({ norm }) => norm)].filter(Boolean);
  }

  // Copy images to where the network reads them, as numbers from 0 to 1.
  #take({ pixels }, places) {
    const { floats } = this.kernels;
    const { inputs, bytes } = this;
    const width = padded(inputs);
    for (let row = 0; row < places.length; row += 1) {
      const [from, to] = [places[row] * inputs, this.x + row * width];
      for (let i = 0; i < inputs; i += 1) floats[to + i] = bytes[pixels[from + i]];
    }
    if (this.standard) {
      const { middle, inverse, gamma, beta } = this.standard;
      const x = this.x;
      this.kernels.normalize(x, middle, inverse, gamma, beta, x, x, places.length, width);
    }
  }

  #forward(rows, training) {
    const { kernels: k, slope } = this;
    this.lastRows = rows;
    if (this.norm) this.#normalize(this.norm, this.x, rows, training);
    let from = this.first;
    this.layers.forEach((layer, place) => {
      const { w, b, z, a, norm, width, rowWidth } = layer;
      k.product(from, w, b, z, rows, rowWidth, width);
      if (place === this.layers.length - 1) return;
      if (this.recipe.normalization === "before") {
        this.#normalize(norm, z, rows, training);
        k.rectify(norm.y, a, rows * width, slope);
      } else {
        k.rectify(z, a, rows * width, slope);
        if (norm) this.#normalize(norm, a, rows, training);
      }
      from = layer.out;
    });
  }

  #normalize(norm, x, rows, training) {
    const { kernels: k } = this;
    const { width, gamma, beta, inverse, n, y } = norm;
    if (training) k.moments(x, norm.batchMean, norm.batchVariance, rows, width);
    const mean = training ? norm.batchMean : norm.mean;
    k.invert(training ? norm.batchVariance : norm.variance, inverse, width, EPSILON);
    k.normalize(x, mean, inverse, gamma, beta, n, y, rows, width);
  }

  // Take the gradient of a hidden layer's outputs back to its sums z.
  #activationBack({ z, d, norm, width }, rows) {
    const { kernels: k, slope, dgamma, dbeta, recipe } = this;
    const normalizationBack = () => {
      const { n, inverse, gamma, beta } = norm;
      k.normalizeBack(d, n, inverse, gamma, dgamma, dbeta, d, rows, width);
      const shrink = 1 - recipe.rate * recipe.decay;
      k.updateVector(gamma, dgamma, width, recipe.rate, shrink);
      k.updateVector(beta, dbeta, width, recipe.rate, shrink);
    };
    if (recipe.normalization === "before") {
      k.rectifyBack(norm.y, d, rows * width, slope);
      normalizationBack();
    } else {
      if (norm) normalizationBack();
      k.rectifyBack(z, d, rows * width, slope);
    }
  }

  // Compute softmax and cross-entropy, and leave the gradient of the logits.
  #loss({ labels }, places) {
    const { floats } = this.kernels;
    const { z, d, width } = this.layers.at(-1);
    const rows = places.length;
    const powers = new Float64Array(this.classes);
    let [loss, right] = [0, 0];
    for (let row = 0; row < rows; row += 1) {
      const [from, label] = [row * width, labels[places[row]]];
      let [largest, answer] = [-Infinity, 0];
      for (let i = 0; i < this.classes; i += 1) {
        if (floats[z + from + i] > largest) [largest, answer] = [floats[z + from + i], i];
      }
      let sum = 0;
      for (let i = 0; i < this.classes; i += 1) {
        powers[i] = exp(floats[z + from + i] - largest);
        sum += powers[i];
      }
      for (let i = 0; i < this.classes; i += 1) {
        floats[d + from + i] = (powers[i] / sum - (i === label ? 1 : 0)) / rows;
      }
      loss += log(sum) + largest - floats[z + from + label];
      right += answer === label ? 1 : 0;
    }
    return { loss: loss / rows, right };
  }
}

// Where the weight from an input to an output lies: in panels of 8 outputs, see kernels.ts.
function weight({ w, rowWidth }, i, j) {
  return w + (j - (j % 8)) * rowWidth + 8 * i + (j % 8);
}

const indices = (from, count) => Uint32Array.from({ length: count }, (_, place) => from + place);
