// Everything that the curves show, as tables and as a file.
import { element, table } from "./elements.js";

const percent = (share) => `${(100 * share).toFixed(1)}%`;
const EACH = ["Step", "Loss", "Accuracy", "Accuracy in training mode"];

export class Numbers {
  #tables = element("div");
  #stage = "";
  #shown = [];

  constructor() {
    this.element = element("details",
      { className: "live-details", ontoggle: () => this.draw(this.#shown) },
      element("summary", {}, "The numbers as tables"), this.#tables);
  }

  draw(shown) {
    this.#shown = shown;
    if (!this.element.open) return;
    const stage = shown.map(({ session, title }) =>
      `${title} ${session.state} ${session.evaluations.length}`).join();
    if (stage === this.#stage) return;
    this.#stage = stage;
    this.#tables.replaceChildren(
      table("Now", ["Step", "Training loss, smoothed", ...EACH.slice(1).map((name) =>
        `Validation: ${name.toLowerCase()}`)],
      shown.map(({ session, title }) => {
        const last = session.evaluations.at(-1);
        return [title, session.step.toLocaleString("en"), session.loss?.toFixed(4) ?? "–",
          last?.loss.toFixed(4) ?? "–", last ? percent(last.accuracy) : "–",
          last ? percent(last.inTraining) : "–"];
      })),
      ...shown.map(({ session, title }) => table(`${title}: validation`, EACH.slice(1),
        session.evaluations.map(({ step, loss, accuracy, inTraining }) =>
          [`Step ${step.toLocaleString("en")}`, loss.toFixed(4), percent(accuracy),
            percent(inTraining)]))));
  }

  // Return every number, a line for each step of each network.
  csv(shown) {
    const lines = ["network,step,loss,smoothed_loss,val_loss,val_accuracy,training_mode_accuracy"];
    for (const { session, title } of shown) {
      const name = `"${title.replaceAll('"', '""')}"`;
      const evaluated = new Map(session.evaluations.map((one) => [one.step, one]));
      for (let step = 0; step <= session.losses.length; step += 1) {
        const { loss = "", accuracy = "", inTraining = "" } = evaluated.get(step) ?? {};
        const losses = step ? [session.losses.at(step - 1), session.smoothed.at(step - 1)] : ["", ""];
        lines.push([name, step, ...losses, loss, accuracy, inTraining].join(","));
      }
    }
    return `${lines.join("\n")}\n`;
  }
}
