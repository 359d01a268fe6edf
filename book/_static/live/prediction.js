// What the networks compute: functions of arrays, which know nothing of a page.
// An image is a row of 784 numbers; a layer makes rows of rows.

const LAYERS = {
  dense({ inputs, outputs, kernel, bias }, rows) {
    return rows.map((row) => {
      const sums = bias ? Float64Array.from(bias) : new Float64Array(outputs);
      for (let input = 0; input < inputs; input += 1) {
        const value = row[input];
        if (value === 0) continue;
        const start = input * outputs;
        for (let unit = 0; unit < outputs; unit += 1) sums[unit] += value * kernel[start + unit];
      }
      return sums;
    });
  },

  // In training with the mean and the variance of these very rows, else with the moving ones;
  // what was fixed before the training, as pixels are standardized, stays as it is.
  normalization({ gamma, beta, mean, variance, epsilon, fixed = false }, rows, training) {
    const [middle, spread] = training && !fixed ? moments(rows) : [mean, variance];
    const factor = Float64Array.from(gamma, (g, unit) => g / Math.sqrt(spread[unit] + epsilon));
    return rows.map((row) =>
      row.map((value, unit) => (value - middle[unit]) * factor[unit] + beta[unit]),
    );
  },

  relu: ({ slope }, rows) =>
    rows.map((row) => row.map((value) => (value > 0 ? value : slope * value))),

  softmax(_layer, rows) {
    return rows.map((row) => {
      const largest = Math.max(...row);
      const powers = row.map((value) => Math.exp(value - largest));
      const sum = powers.reduce((total, power) => total + power, 0);
      return powers.map((power) => power / sum);
    });
  },
};

// Return each unit's mean and variance over rows, divided by their number, as Keras does.
function moments(rows) {
  const mean = new Float64Array(rows[0].length);
  for (const row of rows) row.forEach((value, unit) => (mean[unit] += value / rows.length));
  const variance = new Float64Array(mean.length);
  for (const row of rows) {
    row.forEach((value, unit) => (variance[unit] += (value - mean[unit]) ** 2 / rows.length));
  }
  return [mean, variance];
}

// Return the pixels 0 to 255 as a network takes them, 0 to 1.
export const scaled = (pixels) => Float64Array.from(pixels, (pixel) => Math.fround(pixel / 255));

// Return ten probabilities for each image.
export const predict = (network, images, training = false) =>
  network.layers.reduce((rows, layer) => LAYERS[layer.kind](layer, rows, training), images);

// Return what a unit of the layer at some place gets for the first image, and what it gives.
export function through(network, images, training, place, unit) {
  const before = predict({ layers: network.layers.slice(0, place) }, images, training);
  const after = predict({ layers: [network.layers[place]] }, before, training);
  return [before[0][unit], after[0][unit]];
}

// Yield, unit by unit of the normalization at some place, how far a probability of the first image
// moves, at most, where the unit is silent: with its gamma 0, so that it gives beta to every image.
export function* influences(network, images, training, place) {
  const { layers } = network;
  const { beta } = layers[place];
  const next = layers.findIndex(({ kind }, index) => index > place && kind === "dense");
  const { outputs, kernel } = layers[next];
  // Between a normalization and the next dense layer each unit goes its own way.
  const between = { layers: layers.slice(place + 1, next) };
  const rows = predict({ layers: layers.slice(0, next) }, images, training);
  const [silent] = predict(between, [Float64Array.from(beta)], false);
  const sums = predict({ layers: [layers[next]] }, rows, training);
  const rest = { layers: layers.slice(next + 1) };
  const [before] = predict(rest, sums, training);
  for (let unit = 0; unit < beta.length; unit += 1) {
    const moved = sums.map((row, image) => {
      const by = silent[unit] - rows[image][unit];
      return row.map((sum, output) => sum + by * kernel[unit * outputs + output]);
    });
    const [after] = predict(rest, moved, training);
    yield Math.max(...after.map((share, label) => Math.abs(share - before[label])));
  }
}

// Return a network with other values in one unit of the layer at some place.
export function changed(network, { place, unit, values }) {
  const layer = { ...network.layers[place] };
  for (const [name, value] of Object.entries(values)) {
    layer[name] = layer[name].with(unit, value);
  }
  return { ...network, layers: network.layers.with(place, layer) };
}
