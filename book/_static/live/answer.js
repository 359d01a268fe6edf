// The networks' answers, side by side.
import { paint, picture } from "./drawing.js";
import { element, note, say, spoken, staying } from "./elements.js";

const percent = (share) => `${(100 * share).toFixed(1)}%`;
const likeliest = (shares) => shares.indexOf(Math.max(...shares));

export class Answer {
  #classes;
  #networks;
  #rows;
  #picture = picture([]);
  #name = element("strong");
  #about = note();
  #before = element("p", { className: "live-note live-before" });
  #said = spoken("", { role: "status" });
  #saying;

  constructor({ classes, networks }) {
    this.#classes = classes;
    this.#networks = networks;
    this.#rows = classes.map(() => ({
      row: element("tr"),
      head: element("th", { scope: "row" }),
      cells: networks.map(({ color, dark_color: dark }) => {
        const [share, bar] = [element("span"), element("span", { className: "live-bar" })];
        bar.style.setProperty("--light", color);
        bar.style.setProperty("--dark", dark);
        return { share, bar, cell: element("td", {}, share, bar) };
      }),
    }));
    this.#rows.forEach(({ row, head, cells }) => row.append(head, ...cells.map(({ cell }) => cell)));
    const titles = networks.map(({ title }) => element("th", { scope: "col" }, title));
    this.element = element("section", { "aria-label": "The networks' answers" },
      element("div", { className: "live-shown" },
        this.#picture,
        element("div", {}, this.#name, this.#about),
      ),
      element("table", { className: "live-table" },
        element("caption", { className: "live-spoken" }, "The probability that each network gives to each class"),
        element("thead", {}, element("tr", {}, element("td"), ...titles)),
        element("tbody", {}, ...this.#rows.map(({ row }) => row)),
      ),
      this.#before,
      this.#said,
    );
    staying(this.element);
  }

  show({ shown, training, neighbours, unit }, probabilities, trained) {
    const told = (shares) => `${this.#classes[likeliest(shares)]}, ${percent(Math.max(...shares))}`;
    // Empty while nothing is turned, but of the same height, so that nothing below moves.
    const turned = this.#networks.findIndex(({ name }) => name === unit?.name);
    say(this.#before, turned < 0 ? "\u00a0" : `${this.#networks[turned].title}, as trained: ` +
      `${told(trained[turned])}. Now: ${told(probabilities[turned])}.`);
    const answers = probabilities.map(likeliest);
    const mode = training ? `training mode, a batch of ${1 + neighbours.length}` : "inference mode";
    paint(this.#picture, shown.pixels);
    this.#name.textContent = shown.name;
    this.#about.textContent = mode[0].toUpperCase() + mode.slice(1);
    this.#rows.forEach(({ row, head, cells }, label) => {
      row.className = label === shown.label ? "live-truth" : "";
      head.textContent = this.#classes[label] + (label === shown.label ? " ✓" : "");
      cells.forEach(({ share, bar, cell }, network) => {
        share.textContent = percent(probabilities[network][label]);
        bar.style.setProperty("--share", percent(probabilities[network][label]));
        cell.className = label === answers[network] ? "live-answer" : "";
      });
    });
    const sentences = this.#networks.map(({ title }, network) => {
      const label = answers[network];
      return `${title}: ${this.#classes[label]}, ${percent(probabilities[network][label])}.`;
    });
    // Not every stroke of a drawing, but where it comes to rest.
    clearTimeout(this.#saying);
    const sentence = `${shown.name}, ${mode}. ${sentences.join(" ")}`;
    this.#saying = setTimeout(() => say(this.#said, sentence), 400);
  }
}
