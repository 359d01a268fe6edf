// The two charts: training loss and validation accuracy of all networks.
import { Chart } from "./chart.js";
import { element } from "./elements.js";

const DASHES = [[8, 4], [], [10, 3, 2, 3], [2, 3]];
const HIGHEST_LOSS = 7;

const percent = (share) => `${Math.round(100 * share)}%`;

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

export class Curves {
  #loss = new Chart("Training loss", (value) => value.toLocaleString("en"));
  #accuracy = new Chart("Validation accuracy", percent);

  constructor() {
    this.element = element("div", { className: "live-curves" },
      this.#loss.element, this.#accuracy.element);
  }

  // Draw sessions, each with its colour and, where there is one, the band of the course's runs.
  draw(shown) {
    const { loss, accuracy } = this.#described(shown);
    this.#loss.draw(loss);
    this.#accuracy.draw(accuracy);
  }

  // Return a picture of both charts, as a blob.
  picture(shown, background) {
    const [width, height, head] = [1280, 480, 40];
    const canvas = element("canvas", { width, height: height + head });
    const pen = canvas.getContext("2d");
    pen.fillStyle = background;
    pen.fillRect(0, 0, width, height + head);
    pen.font = `16px ${getComputedStyle(this.#loss.canvas).fontFamily}`;
    let from = 44;
    for (const { title, color } of shown) {
      pen.fillStyle = color;
      pen.fillRect(from, 14, 18, 12);
      pen.fillStyle = getComputedStyle(this.#loss.canvas).color;
      pen.fillText(title, from + 26, 26);
      from += 60 + pen.measureText(title).width;
    }
    const described = this.#described(shown);
    [[this.#loss, described.loss], [this.#accuracy, described.accuracy]].forEach(
      ([chart, what], place) => {
        const part = element("canvas", { width: width / 2, height });
        chart.paint(part.getContext("2d"), width / 2, height, what);
        pen.drawImage(part, (place * width) / 2, head);
      });
    return new Promise((resolve) => canvas.toBlob(resolve));
  }

  #described(shown) {
    const end = Math.max(...shown.map(({ session }) => session.steps));
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
        high: Math.min(HIGHEST_LOSS, Math.max(2.5, ...first.map((loss) => 1.1 * loss))),
        bands: lossBands,
        lines: [
          ...shown.map(({ session, color }) =>
            ({ color, pale: true, points: thinned(session.losses, most) })),
          ...shown.map(({ session, color }, place) =>
            ({ color, dash: DASHES[place], points: lined(session.smoothed, most) })),
        ],
        said: `Curves over steps. ${said.join("; ")}.`,
      },
      accuracy: {
        end,
        low,
        high,
        bands: accuracyBands,
        lines: shown.map(({ session, color }, place) => ({ color, dash: DASHES[place],
          points: session.evaluations.map(({ step, accuracy }) => [step, accuracy]) })),
        said: `Curves over steps. ${said.join("; ")}.`,
      },
    };
  }
}
