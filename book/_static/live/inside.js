// A look into one network: what enters and leaves each normalization, its moving averages beside
// the last batch's, and the norms of weights and gradients.
import { element, note, table } from "./elements.js";

const number = (value) => {
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  return size && (size < 0.001 || size >= 10000) ? value.toExponential(1) : value.toPrecision(3);
};

// Make a canvas as fine as the screen, and return its pen; undefined where it is not shown.
function penOf(canvas) {
  const scale = globalThis.devicePixelRatio || 1;
  const { clientWidth: width, clientHeight: height } = canvas;
  if (!width) return undefined;
  [canvas.width, canvas.height] = [width * scale, height * scale];
  const pen = canvas.getContext("2d");
  pen.scale(scale, scale);
  return pen;
}

// Draw two distributions over one another, on one scale.
function draw(canvas, { enters, leaves }, color) {
  const pen = penOf(canvas);
  if (!pen) return;
  const { clientWidth: width, clientHeight: height } = canvas;
  const style = getComputedStyle(canvas);
  const low = Math.min(enters.low, leaves.low);
  const high = Math.max(enters.high, leaves.high);
  const bottom = height - 18;
  const x = (value) => ((value - low) / (high - low || 1)) * width;
  const densest = Math.max(...[enters, leaves].map((one) =>
    Math.max(...one.bins) / (one.high - one.low)));
  [[enters, style.getPropertyValue("--live-grid"), 1], [leaves, color, 0.6]].forEach(
    ([one, fill, alpha]) => {
      const each = (one.high - one.low) / one.bins.length;
      pen.fillStyle = fill;
      pen.globalAlpha = alpha;
      one.bins.forEach((share, bin) => {
        // The square root lets the rare be seen beside the frequent.
        const tall = Math.sqrt(share / (one.high - one.low) / densest) * (bottom - 4);
        const from = x(one.low + bin * each);
        pen.fillRect(from, bottom - tall, Math.max(1, x(one.low + (bin + 1) * each) - from), tall);
      });
    });
  pen.globalAlpha = 1;
  pen.fillStyle = style.color;
  pen.font = `12px ${style.fontFamily}`;
  pen.fillText(number(low), 0, height - 4);
  const last = number(high);
  pen.fillText(last, width - pen.measureText(last).width, height - 4);
  if (low < 0 && high > 0) pen.fillRect(x(0), 2, 1, bottom);
}

function drawAverages(canvas, { mean, batchMean }, color) {
  const pen = penOf(canvas);
  if (!pen) return;
  const { clientWidth: width, clientHeight: height } = canvas;
  const all = [...mean, ...batchMean].filter(Number.isFinite);
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const at = (value, length) => 4 + ((value - low) / (high - low || 1)) * (length - 8);
  pen.strokeStyle = getComputedStyle(canvas).getPropertyValue("--live-grid");
  pen.beginPath();
  pen.moveTo(4, height - 4);
  pen.lineTo(width - 4, 4);
  pen.stroke();
  pen.fillStyle = color;
  pen.globalAlpha = 0.6;
  mean.forEach((value, unit) => {
    pen.fillRect(at(batchMean[unit], width) - 1.5, height - at(value, height) - 1.5, 3, 3);
  });
}

const apart = (one, other) =>
  Math.sqrt(one.reduce((sum, value, unit) => sum + (value - other[unit]) ** 2, 0) / one.length);

const middle = (numbers) => Float64Array.from(numbers).sort()[Math.floor(numbers.length / 2)];

export class Inside {
  #chosen = -1;
  #sessions = [];
  #choose;
  #figures = element("div", { className: "live-layers" });
  #tables = element("div");
  #empty = note("Train a step, and it shows here.");

  // Without an open view no worker looks for it.
  constructor() {
    this.#choose = element("select", { id: "live-inside", onchange: () => {
      this.#chosen = Number(this.#choose.value);
      this.#look();
      this.draw(this.#sessions);
    } });
    this.element = element("details", { className: "live-details", ontoggle: () => {
      this.#look();
      this.draw(this.#sessions);
    } },
    element("summary", {}, "Look inside"),
    element("div", { className: "live-field" },
      element("label", { htmlFor: "live-inside" }, "Network"), this.#choose),
    note("Pale: what enters a normalization, or an activation where there is none. ",
      "In colour: what leaves it. Over all units and images of the last batch; the heights are ",
      "square roots, so that what is rare can be seen."),
    this.#empty, this.#figures, this.#tables);
  }

  begin(shown) {
    this.#sessions = shown;
    // Begin with one that has normalizations to look at.
    if (this.#chosen < 0 || this.#chosen >= shown.length) {
      this.#chosen = Math.max(0, shown.findIndex(({ session: { recipe } }) =>
        recipe.normalization !== "none" || recipe.pixels === "normalized"));
    }
    this.#choose.replaceChildren(...shown.map(({ title }, value) =>
      element("option", { value, selected: value === this.#chosen }, title)));
    this.#look();
  }

  #look() {
    this.#sessions.forEach(({ session }, place) =>
      session.look(this.element.open && place === this.#chosen));
  }

  draw(shown) {
    this.#sessions = shown;
    if (!this.element.open) return;
    const { session, color, title } = shown[this.#chosen];
    const { layers, report } = session;
    this.#empty.hidden = Boolean(layers);
    if (!layers) return this.#figures.replaceChildren();
    if (this.#figures.children.length !== layers.length ||
        this.#figures.dataset.shown !== `${title} ${session.recipe.normalization}`) {
      this.#figures.dataset.shown = `${title} ${session.recipe.normalization}`;
      this.#figures.replaceChildren(...layers.map(({ name, averages }) =>
        element("div", {}, element("strong", {}, name),
          element("canvas", { role: "img", className: "live-distribution",
            "aria-label": `${name}: what enters and what leaves, see the table` }),
          ...(averages ? [element("canvas", { role: "img", className: "live-averages",
            "aria-label": `${name}: moving mean over the batch's mean, see the table` }),
          note("Each unit's mean: of the batch (across), moving average (up).")] : []))));
    }
    layers.forEach((layer, place) => {
      const [distribution, averages] = this.#figures.children[place].querySelectorAll("canvas");
      draw(distribution, layer, color);
      if (averages) drawAverages(averages, layer.averages, color);
    });
    const rows = layers.flatMap(({ name, enters, leaves }) =>
      [["enters", enters], ["leaves", leaves]].map(([way, one]) =>
        [`${name}, ${way}`, ...[one.mean, one.deviation, ...one.quantiles].map(number)]));
    const averages = layers.filter((layer) => layer.averages).map(({ name, averages: a }) =>
      [name, number(apart(a.mean, a.batchMean)), number(middle(a.variance)),
        number(middle(a.batchVariance))]);
    const norms = report.norms.map(({ weights, gradient }, place) =>
      [place === report.norms.length - 1 ? "Output layer" : `Hidden layer ${place + 1}`,
        number(weights), number(gradient)]);
    this.#tables.replaceChildren(
      table("Distributions", ["Mean", "Deviation", "5%", "25%", "50%", "75%", "95%"], rows),
      ...(averages.length ? [table("Moving averages", [
        "Means: moving from batch's", "Median moving variance", "Median batch variance"], averages)] : []),
      table("Norms", ["Weights", "Gradient"], norms));
  }
}
