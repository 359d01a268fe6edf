// A chart of lines over steps, drawn on a canvas in the page's own colours.
import { element } from "./elements.js";

const MARGIN = { left: 38, right: 8, top: 10, bottom: 22 };

const ROUND = [0.5, 1, 2, 5, 10];

function multiples(low, high, step) {
  const found = [];
  for (let tick = Math.ceil(low / step); tick * step <= high + step / 1e6; tick += 1) {
    found.push(Number((tick * step).toPrecision(12)));
  }
  return found;
}

// Return about as many round numbers as wanted, from low to high, and at least two.
export function ticks(low, high, wanted) {
  const rough = (high - low) / wanted || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const place = ROUND.findIndex((times) => times * power >= rough);
  const found = multiples(low, high, power * ROUND[place]);
  return found.length > 1 ? found : multiples(low, high, power * ROUND[place - 1]);
}

const short = (value) => (value >= 10000 ? `${value / 1000}k` : value.toLocaleString("en"));

export class Chart {
  #format;
  canvas = element("canvas", { className: "live-chart", role: "img" });

  constructor(title, format) {
    this.title = title;
    this.#format = format;
    this.element = element("figure", { className: "live-figure" },
      element("figcaption", {}, title), this.canvas);
  }

  // Draw what is given for x from 0 to `end` and y from `low` to `high`: `bands` are lists of
  // [x, low, high], `lines` lists of [x, y], each with a colour; `crosses` are the points at which
  // a network diverged, on the edge if they are beyond it; `said` is what a screen reader says.
  draw({ said, ...what }) {
    const { canvas } = this;
    const { clientWidth: width, clientHeight: height } = canvas;
    if (!width) return;
    const scale = globalThis.devicePixelRatio || 1;
    const [across, down] = [Math.round(width * scale), Math.round(height * scale)];
    if (canvas.width !== across || canvas.height !== down) {
      [canvas.width, canvas.height] = [across, down];
    }
    canvas.setAttribute("aria-label", `${this.title}. ${said}`);
    const pen = canvas.getContext("2d");
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    this.paint(pen, width, height, what);
  }

  paint(pen, width, height, { end, low, high, bands, lines, crosses }) {
    const style = getComputedStyle(this.canvas);
    const [ink, grid] = [style.color, style.getPropertyValue("--live-grid")];
    const [right, bottom] = [width - MARGIN.right, height - MARGIN.bottom];
    const x = (value) => MARGIN.left + (value / (end || 1)) * (right - MARGIN.left);
    const y = (value) => bottom - ((value - low) / (high - low)) * (bottom - MARGIN.top);
    pen.clearRect(0, 0, width, height);
    pen.font = `12px ${style.fontFamily}`;
    pen.lineWidth = 1;
    pen.strokeStyle = grid;
    pen.fillStyle = ink;
    pen.textBaseline = "middle";
    pen.textAlign = "right";
    for (const tick of ticks(low, high, Math.max(2, height / 45))) {
      pen.beginPath();
      pen.moveTo(MARGIN.left, y(tick));
      pen.lineTo(right, y(tick));
      pen.stroke();
      pen.fillText(this.#format(tick), MARGIN.left - 5, y(tick));
    }
    pen.textBaseline = "top";
    pen.textAlign = "left";
    let free = width;
    const steps = ticks(0, end, Math.max(2, width / 110));
    for (const tick of [...steps].reverse()) {
      const label = tick === steps.at(-1) ? `${short(tick)} steps` : short(tick);
      const wide = pen.measureText(label).width;
      const from = Math.min(x(tick) - wide / 2, right - wide);
      if (from + wide > free) continue;
      pen.fillText(label, from, bottom + 6);
      free = from - 8;
    }
    pen.save();
    pen.beginPath();
    pen.rect(MARGIN.left, MARGIN.top - 2, right - MARGIN.left, bottom - MARGIN.top + 4);
    pen.clip();
    for (const { points, color } of bands) {
      pen.fillStyle = color;
      pen.globalAlpha = 0.25;
      pen.beginPath();
      for (const [at, lower] of points) pen.lineTo(x(at), y(lower));
      for (const [at, , upper] of [...points].reverse()) pen.lineTo(x(at), y(upper));
      pen.fill();
    }
    pen.lineJoin = "round";
    for (const { points, color, pale = false, dash = [] } of lines) {
      pen.globalAlpha = pale ? 0.22 : 1;
      pen.lineWidth = pale ? 1 : 2;
      pen.strokeStyle = color;
      pen.setLineDash(dash);
      pen.beginPath();
      for (const [at, value] of points) pen.lineTo(x(at), y(value));
      pen.stroke();
    }
    pen.restore();
    pen.globalAlpha = 1;
    pen.lineWidth = 3;
    for (const { at, value, color } of crosses) {
      const [across, down] = [x(at), y(Math.max(low, Math.min(high, value)))];
      pen.strokeStyle = color;
      pen.beginPath();
      for (const side of [-5, 5]) {
        pen.moveTo(across - side, down - 5);
        pen.lineTo(across + side, down + 5);
      }
      pen.stroke();
    }
  }
}
