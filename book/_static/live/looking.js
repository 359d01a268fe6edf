// What is to be seen in a network's layers: the distribution, over units and images, of what
// enters and what leaves each normalization, or each activation where there is none.

const MOST = 4096;   // numbers that a distribution is told by
const BINS = 40;
const SHARES = [0.05, 0.25, 0.5, 0.75, 0.95];

// Describe numbers by their mean, deviation and quantiles, and by how many are in each bin.
export function distribution(numbers) {
  const sorted = Float64Array.from(numbers).sort();
  const count = sorted.length;
  const mean = sorted.reduce((sum, value) => sum + value, 0) / count;
  const variance = sorted.reduce((sum, value) => sum + (value - mean) ** 2, 0) / count;
  const at = (share) => sorted[Math.min(count - 1, Math.floor(share * count))];
  // The outermost numbers are drawn at the edges.
  const [low, high] = [at(0.005), at(0.995)];
  const wide = high - low || 1;
  const bins = new Array(BINS).fill(0);
  for (const value of sorted) {
    bins[Math.max(0, Math.min(BINS - 1, Math.floor(((value - low) / wide) * BINS)))] += 1 / count;
  }
  return { mean, deviation: Math.sqrt(variance), quantiles: SHARES.map(at), low, high: low + wide,
    bins };
}

// Return what the layers held after the last batch of some rows.
export function looked(network, rows = network.lastRows) {
  const { floats } = network.kernels;
  const numbers = (place, { outputs, width }) => {
    const every = Math.max(1, Math.ceil((rows * outputs) / MOST));
    const found = [];
    for (let index = 0; index < rows * outputs; index += every) {
      found.push(floats[place + Math.floor(index / outputs) * width + (index % outputs)]);
    }
    return found;
  };
  const vector = (place, count) => floats.slice(place, place + count);
  const through = (name, from, to, layer, norm) => ({
    name,
    enters: distribution(numbers(from, layer)),
    leaves: distribution(numbers(to, layer)),
    averages: norm && Object.fromEntries(
      ["batchMean", "mean", "batchVariance", "variance"].map((vectorName) =>
        [vectorName, vector(norm[vectorName], norm.outputs)])),
  });
  const { normalization } = network.recipe;
  const hidden = network.layers.slice(0, -1).map((layer, place) => {
    const { z, a, norm } = layer;
    const name = `Hidden layer ${place + 1}`;
    if (!norm) return through(name, z, a, layer, null);
    return through(name, normalization === "after" ? a : z, norm.y, layer, norm);
  });
  const { norm } = network;
  return norm ? [through("Pixels", network.x, norm.y, norm, norm), ...hidden] : hidden;
}
