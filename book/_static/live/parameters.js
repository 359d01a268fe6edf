// The lesson's formulas, as bnlab.arithmetic has them in Python.

const dense = (inputs, outputs, bias) => ({
  name: `Dense ${outputs}`,
  formula: `${inputs}·${outputs}` + (bias ? ` + ${outputs}` : ""),
  trained: inputs * outputs + (bias ? outputs : 0),
  rest: 0,
});

// Gamma and beta are trained, the moving mean and the moving variance are not.
const normalization = (width) => ({
  name: `BN ${width}`,
  formula: `${width}·4`,
  trained: 2 * width,
  rest: 2 * width,
});

// Whether a network normalizes, and whether its hidden layers have a bias, by its title.
export const NETWORKS = {
  Baseline: { normalized: false, bias: true },
  "BN one": { normalized: true, bias: true },
  "BN two": { normalized: true, bias: false },
};

// Return a network's layers in their order, an empty place where another network has one.
export const count = ({ normalized, bias }, widths) =>
  widths.slice(0, -1).flatMap((width, place) => {
    const last = place === widths.length - 2;
    return [
      normalized ? normalization(width) : null,
      dense(width, widths[place + 1], bias || last),
    ];
  });

export function total(layers) {
  const sum = (name) => layers.reduce((all, layer) => all + (layer?.[name] ?? 0), 0);
  return { trained: sum("trained"), rest: sum("rest"), all: sum("trained") + sum("rest") };
}
