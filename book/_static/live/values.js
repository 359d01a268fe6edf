// A batch of eight values that a reader can move, and what batch normalization makes of them.
import { button, element, group, labelled, note, row } from "./elements.js";
import { moments, normalize, scale, update } from "./normalization.js";

const START = [2, 4, 4, 4, 5, 5, 7, 9];
const [LOW, HIGH, OUTLIER, STEPS] = [-5, 45, 41, 100];
const MODES = [["Training", true], ["Inference", false]];
const BEGIN = { gamma: 1, beta: 0, training: true, moving: { mean: 0, variance: 1 }, steps: 0 };

const number = (value) => value.toFixed(2).replace("-", "−");

function svg(name, attributes = {}, text = "") {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.textContent = text;
  return made;
}

// Three number lines, one above the other, and each value's way from the first to the last.
const LINES = [["In", LOW, HIGH], ["Normalized", -6, 6], ["Out", -6, 6]];
const [WIDTH, EDGE, HEIGHT] = [340, 12, 70];

function drawing(rows) {
  const x = (value, [, low, high]) =>
    EDGE + (Math.min(high, Math.max(low, value)) - low) / (high - low) * (WIDTH - 2 * EDGE);
  const y = (line) => 30 + HEIGHT * line;
  const picture = svg("svg", {
    viewBox: `0 0 ${WIDTH} ${y(2) + 24}`, class: "live-values", "aria-hidden": "true",
  });
  LINES.forEach((line, place) => {
    const [name, low, high] = line;
    picture.append(
      svg("line", { x1: EDGE, x2: WIDTH - EDGE, y1: y(place), y2: y(place), class: "live-axis" }),
      svg("text", { x: EDGE, y: y(place) - 10 }, name),
      ...[low, 0, high].map((tick) =>
        svg("text", { x: x(tick, line), y: y(place) + 18, "text-anchor": "middle" },
          String(tick).replace("-", "−"))));
  });
  rows[0].forEach((_, place) => {
    const points = LINES.map((line, which) => [x(rows[which][place], line), y(which)]);
    picture.append(
      svg("polyline", { points: points.join(" "), class: "live-way" }),
      ...points.map(([cx, cy]) => svg("circle", { cx, cy, r: 5, class: "live-dot" })));
  });
  return picture;
}

function slider(name, [min, max, step], change) {
  const input = element("input", { type: "range", min, max, step });
  const output = element("output");
  input.addEventListener("input", () => change(Number(input.value)));
  const made = labelled(name, input);
  made.className = "live-slider";
  made.append(output);
  return { input, output, element: made };
}

function open(place) {
  const printed = element("div", { className: "live-printed" }, ...place.childNodes);
  const set = { ...BEGIN, values: [...START] };
  const shown = element("div");
  const said = element("p", { role: "status" });
  const averages = note();

  const values = START.map((_, index) =>
    slider(`Value ${index + 1}`, [LOW, HIGH, 1], (value) => {
      set.values[index] = value;
      show();
    }));
  const gamma = slider("Gamma", [0, 3, 0.1], (value) => {
    set.gamma = value;
    show();
  });
  const beta = slider("Beta", [-3, 3, 0.1], (value) => {
    set.beta = value;
    show();
  });
  const modes = MODES.map(([name, training]) => {
    const input = element("input", { type: "radio", name: "live-values-mode", onchange: () => {
      set.training = training;
      show();
    } });
    return { training, input, element: element("label", { className: "live-segment" }, input, name) };
  });
  const train = button(`Train ${STEPS} steps on this batch`, () => {
    set.moving = update(set.moving, moments(set.values), STEPS);
    set.steps += STEPS;
    show();
  });

  function show() {
    const batch = moments(set.values);
    const normalized = normalize(set.values, set.training ? batch : set.moving);
    const out = scale(normalized, set.gamma, set.beta);
    shown.replaceChildren(drawing([set.values, normalized, out]));
    values.forEach(({ input, output }, index) => {
      input.value = set.values[index];
      output.textContent = `${number(normalized[index])} → ${number(out[index])}`;
    });
    for (const [{ input, output }, value] of [[gamma, set.gamma], [beta, set.beta]]) {
      input.value = value;
      output.textContent = number(value);
    }
    modes.forEach(({ training, input }) => { input.checked = training === set.training; });
    const after = moments(out);
    said.textContent = `In: mean ${number(batch.mean)}, standard deviation ` +
      `${number(Math.sqrt(batch.variance))}. Out: mean ${number(after.mean)}, standard deviation ` +
      `${number(Math.sqrt(after.variance))}.`;
    averages.textContent = `After ${set.steps} steps the moving mean is ` +
      `${number(set.moving.mean)} and the moving variance ${number(set.moving.variance)}. ` +
      (set.training ? "Training mode does not use them." : "Inference mode uses them alone.");
  }

  values.forEach((value) => value.element.classList.add("live-two"));
  place.replaceChildren(
    printed,
    group("A batch of eight values", shown, said,
      ...values.map((value) => value.element),
      row(
        button("Make the last one an outlier", () => {
          set.values[set.values.length - 1] = OUTLIER;
          show();
        }),
        button("Start again", () => {
          Object.assign(set, BEGIN, { values: [...START] });
          show();
        }))),
    group("What the layer learns", gamma.element, beta.element),
    group("Mode", element("div", { className: "live-segments" },
      ...modes.map((mode) => mode.element)), averages, row(train)),
  );
  show();
}

document.querySelectorAll('[data-live="values"]').forEach(open);
