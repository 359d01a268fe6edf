// Compare what a step subtracts, in float64, with differences of the loss on both sides of each
// number. The job is JSON on the standard input; printed is the largest difference of each run, as
// a share of the largest number of the gradient.
import { text } from "node:stream/consumers";

import { Network } from "../../book/_static/live/network.js";
import { twin } from "../../book/_static/live/twin.js";

const NEAR = 1e-6;
const { images, labels, about, recipes } = JSON.parse(await text(process.stdin));
const part = { pixels: Buffer.from(images, "base64"), labels };
const places = Uint32Array.from(labels, (_, place) => place);

function trained(network) {
  const vectors = [network.norm, ...network.layers.map(({ norm }) => norm)].filter(Boolean)
    .flatMap(({ gamma, beta, width }) => [[gamma, width], [beta, width]]);
  const weights = network.layers.flatMap(({ w, b, rowWidth, width, biased }) =>
    [[w, rowWidth * width], ...(biased ? [[b, width]] : [])]);
  return [...vectors, ...weights];
}

const worst = recipes.map((recipe) => {
  const network = new Network({ ...recipe, rate: 1 }, twin(Float64Array), about);
  const { floats } = network.kernels;
  const start = floats.slice();
  network.step(part, places);
  const stepped = floats.slice();
  const loss = () => network.evaluate(part, { training: true, batch: labels.length }).loss;
  let [apart, largest] = [0, 0];
  for (const [from, count] of trained(network)) {
    // With what pads a width to a multiple of 8: it must change neither.
    for (let place = from; place < from + count; place += 1) {
      const gradient = start[place] - stepped[place];
      floats.set(start);
      floats[place] += NEAR;
      const above = loss();
      floats[place] -= 2 * NEAR;
      const difference = (above - loss()) / (2 * NEAR);
      apart = Math.max(apart, Math.abs(gradient - difference));
      largest = Math.max(largest, Math.abs(gradient));
    }
  }
  return apart / largest;
});
process.stdout.write(JSON.stringify(worst));
