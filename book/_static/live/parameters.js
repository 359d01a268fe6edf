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

// Return the layers of a network with these widths, an empty place where another network has one.
// Of the hidden widths a network with fewer hidden layers has the first.
export function count({ depth, inputs, normalized, bias }, widths) {
  const hidden = widths.slice(1, -1).flatMap((width, place) => {
    if (place >= depth) return [null, null];
    return [dense(widths[place], width, bias), normalized ? normalization(width) : null];
  });
  const output = dense(widths[depth], widths.at(-1), true);
  return [inputs ? normalization(widths[0]) : null, ...hidden, output];
}

export function total(layers) {
  const sum = (name) => layers.reduce((all, layer) => all + (layer?.[name] ?? 0), 0);
  return { trained: sum("trained"), rest: sum("rest"), all: sum("trained") + sum("rest") };
}
