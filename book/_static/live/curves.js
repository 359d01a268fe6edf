// The two charts: training loss and validation accuracy of all networks.
import { Chart } from "./chart.js";
import { element, mark, swatch } from "./elements.js";

const HIGHEST_LOSS = 7;
// How the networks' lines are dashed, in their order: see `mark`.
export const DASHES = [[8, 4], [], [10, 3, 2, 3], [2, 3]];

const percent = (share) => `${Math.round(100 * share)}%`;
const fine = (share) => `${(100 * share).toFixed(1)}%`;

// Return a line of a few points through many numbers: of each stretch the least and the largest.
function thinned(numbers, most) {
  const points = [];
  const every = Math.max(1, Math.ceil(numbers.length / most));
  for (let from = 0; from < numbers.length; from += every) {
    let [least, largest] = [Infinity, -Infinity];
    for (let at = from; at < Math.min(from + every, numbers.length); at += 1) {
      least = Math.min(least, numbers.at(at));
      largest = Math.max(largest, numbers.at(at));
    }
    points.push([from + 1, least], [Math.min(from + every, numbers.length), largest]);
  }
  return points;
}

function lined(numbers, most) {
  const points = [];
  const every = Math.max(1, Math.ceil(numbers.length / most));
  for (let at = 0; at < numbers.length; at += every) points.push([at + 1, numbers.at(at)]);
  if (numbers.length) points.push([numbers.length, numbers.at(numbers.length - 1)]);
  return points;
}

// The last step of the axis: a network that diverged needs no room for more than it was trained.
const lastStep = ({ state, step, steps }) => (state === "diverged" ? Math.ceil(1.2 * step) : steps);

export class Curves {
  #legend = element("ul", { className: "live-legend", "aria-hidden": "true" });
  #loss = new Chart("Training loss", (value) => value.toLocaleString("en"));
  #accuracy = new Chart("Validation accuracy", percent);

  constructor() {
    this.element = element("div", {}, element("div", { className: "live-curves" },
      this.#loss.element, this.#accuracy.element), this.#legend);
  }

  // Name the lines of sessions that are drawn from now on. It stays with the curves; the cards,
  // which say the same and more, may be scrolled away.
  begin(shown) {
    this.#legend.replaceChildren(...shown.map(({ title }) => element("li", {},
      swatch(), element("span", { className: "live-title", title }, title), element("span"))));
  }

  // Draw sessions, each with its colour and dashes and, where there is one, the band of the
  // course's runs.
  draw(shown) {
    const { loss, accuracy } = this.#described(shown);
    this.#loss.draw(loss);
    this.#accuracy.draw(accuracy);
    [...this.#legend.children].forEach(({ firstChild, lastChild }, place) => {
      mark(firstChild, shown[place]);
      const { state, accuracy: share } = shown[place].session;
      const text = state === "diverged" ? "diverged" : share === null ? "" : fine(share);
      if (lastChild.textContent !== text) lastChild.textContent = text;
    });
  }

  // Return a picture of both charts, as a blob.
  picture(shown, background) {
    const [width, height, line, title] = [1280, 480, 28, 24];
    const head = 12 + line * shown.length;
    const canvas = element("canvas", { width, height: head + title + height });
    const pen = canvas.getContext("2d");
    const { color: ink, fontFamily } = getComputedStyle(this.#loss.canvas);
    pen.fillStyle = background;
    pen.fillRect(0, 0, width, canvas.height);
    pen.font = `16px ${fontFamily}`;
    pen.fillStyle = ink;
    pen.lineWidth = 3;
    shown.forEach(({ title: of, color, dash }, place) => {
      const down = line * (place + 1);
      pen.strokeStyle = color;
      pen.setLineDash(dash);
      pen.beginPath();
      pen.moveTo(44, down - 5);
      pen.lineTo(84, down - 5);
      pen.stroke();
      pen.fillText(of, 94, down, width - 104);
    });
    const described = this.#described(shown);
    [[this.#loss, described.loss], [this.#accuracy, described.accuracy]].forEach(
      ([chart, what], place) => {
        const from = (place * width) / 2;
        const part = element("canvas", { width: width / 2, height });
        chart.paint(part.getContext("2d"), width / 2, height, what);
        pen.font = `600 16px ${fontFamily}`;
        pen.fillText(chart.title, from + 38, head + title - 6);
        pen.drawImage(part, from, head + title);
      });
    return new Promise((resolve) => canvas.toBlob(resolve));
  }

  #described(shown) {
    const end = Math.max(...shown.map(({ session }) => lastStep(session)));
    const most = Math.max(60, this.#loss.canvas.clientWidth);
    const lossBands = [];
    const accuracyBands = [];
    for (const { band, color, session } of shown) {
      if (!band) continue;
      const each = session.steps / band.epochs;
      // The loss is a mean over an epoch, so it stands in its middle.
      lossBands.push({ color,
        points: band.loss.map(([low, high], epoch) => [(epoch + 0.5) * each, low, high]) });
      accuracyBands.push({ color,
        points: band.val_accuracy.map(([low, high], epoch) => [(epoch + 1) * each, low, high]) });
    }
    const first = shown.flatMap(({ session: { smoothed } }) =>
      (smoothed.length ? [Math.max(smoothed.at(0), smoothed.at(smoothed.length - 1))] : []));
    // At least one network's loss comes onto the chart.
    const lowest = Math.min(...shown.flatMap(({ session: { smoothed } }) =>
      (smoothed.length ? [Math.min(...lined(smoothed, 50).map(([, loss]) => loss))] : [])));
    const highest = Number.isFinite(lowest) ? Math.max(HIGHEST_LOSS, 1.5 * lowest) : HIGHEST_LOSS;
    const diverged = shown.filter(({ session }) => session.state === "diverged");
    const accuracies = shown.flatMap(({ session }) =>
      session.evaluations.map((evaluation) => evaluation.accuracy));
    const late = shown.flatMap(({ session: { evaluations } }) =>
      evaluations.slice(Math.min(3, evaluations.length - 1)).map(({ accuracy }) => accuracy));
    const low = Math.max(0, Math.floor(10 * Math.min(0.7, ...late)) / 10);
    const high = Math.min(1, Math.max(low + 0.2, Math.ceil(20 * Math.max(0, ...accuracies)) / 20));
    const said = shown.map(({ title, session }) => {
      const has = session.accuracy === null ? "no accuracy yet" : percent(session.accuracy);
      return `${title}: ${has} after ${session.step.toLocaleString("en")} steps`;
    });
    return {
      loss: {
        end,
        low: 0,
        high: Math.min(highest, Math.max(2.5, ...first.map((loss) => 1.1 * loss))),
        bands: lossBands,
        lines: [
          ...shown.map(({ session, color }) =>
            ({ color, pale: true, points: thinned(session.losses, most) })),
          ...shown.map(({ session, color, dash }) =>
            ({ color, dash, points: lined(session.smoothed, most) })),
        ],
        crosses: diverged.map(({ session: { step }, color }) =>
          ({ at: step, value: Infinity, color })),
        said: `Curves over steps. ${said.join("; ")}.`,
      },
      accuracy: {
        end,
        low,
        high,
        bands: accuracyBands,
        lines: shown.map(({ session, color, dash }) => ({ color, dash,
          points: session.evaluations.map(({ step, accuracy }) => [step, accuracy]) })),
        crosses: diverged.map(({ session: { step, accuracy }, color }) =>
          ({ at: step, value: accuracy, color })),
        said: `Curves over steps. ${said.join("; ")}.`,
      },
    };
  }
}
