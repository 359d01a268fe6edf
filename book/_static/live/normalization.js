// What a batch-normalization layer does to one unit's values, as bnlab.batchnorm has it in Python.

export const EPSILON = 0.001;

export function moments(values) {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.map((value) => (value - mean) ** 2);
  return { mean, variance: squares.reduce((sum, square) => sum + square, 0) / values.length };
}

export const normalize = (values, { mean, variance }) =>
  values.map((value) => (value - mean) / Math.sqrt(variance + EPSILON));

export const scale = (normalized, gamma, beta) => normalized.map((value) => gamma * value + beta);

// The moving averages after some steps of training on the same batch.
export function update(moving, batch, steps, momentum = 0.99) {
  const kept = momentum ** steps;
  const towards = (name) => kept * moving[name] + (1 - kept) * batch[name];
  return { mean: towards("mean"), variance: towards("variance") };
}
