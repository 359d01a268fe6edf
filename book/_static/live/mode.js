// The switch between inference mode and training mode.
import { element, group, note } from "./elements.js";

const MODES = [
  { name: "Inference mode", training: false,
    text: "Batch normalization uses its moving averages: each image is judged alone." },
  { name: "Training mode", training: true,
    text: "Batch normalization uses the mean and the variance of the batch below." },
];

export class Mode {
  #text = note();

  constructor(_course, set, update) {
    const options = MODES.map(({ name, training }) => {
      const radio = element("input", {
        type: "radio",
        name: "live-mode",
        checked: training === set.training,
        onchange() {
          set.training = training;
          update();
        },
      });
      return element("label", { className: "live-segment" }, radio, name);
    });
    this.element = group("Mode",
      element("div", { className: "live-segments" }, ...options), this.#text);
  }

  show({ training }) {
    this.#text.textContent = MODES.find((mode) => mode.training === training).text;
  }
}
