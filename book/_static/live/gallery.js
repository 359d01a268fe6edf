// All test images, to choose one: of a class, or all that the networks disagree on. A file is
// loaded when it is asked for; the course's build has put those first that divide the networks most.
import { picture } from "./drawing.js";
import { button, element, labelled, note, row, say } from "./elements.js";
import { loadGallery } from "./loading.js";

const AT_ONCE = 30;

export class Gallery {
  #course;
  #option;
  #count;
  #from = 0;
  #images = [];
  #loaded = new Map();
  #which;
  #kind;
  #status = element("p", { role: "status", className: "live-note" });
  #said = note();
  #grid = element("div", { className: "live-strip" });
  #earlier = button(`Previous ${AT_ONCE}`, () => this.#turn(-AT_ONCE), { hidden: true });
  #later = button(`Next ${AT_ONCE}`, () => this.#turn(AT_ONCE), { hidden: true });

  // `kinds` are those that a garment can be of, each with its name; `option` makes a garment's
  // choice of an image and its picture.
  constructor(course, kinds, option) {
    const { classes, galleries, networks } = course;
    this.#course = course;
    this.#option = option;
    // A reader's own network has no answers in the files.
    this.#count = networks.filter(({ own }) => !own).length;
    const size = ({ count, bytes }) =>
      `${count.toLocaleString("en")}, ${(bytes / 2 ** 20).toFixed(1)} MiB`;
    this.#which = element("select", {}, ...galleries.map((gallery, value) => element("option",
      { value }, `${classes[gallery.label] ?? kinds.disputed} (${size(gallery)})`)));
    this.#kind = element("select", { onchange: () => this.#first() },
      element("option", { value: "" }, "All"),
      ...Object.entries(kinds).map(([value, name]) => element("option", { value }, name)));
    const all = galleries.filter(({ label }) => label !== null)
      .reduce((sum, { count }) => sum + count, 0);
    this.element = element("details", { className: "live-details" },
      element("summary", {}, `All ${all.toLocaleString("en")} test images`),
      row(labelled("Garments", this.#which), labelled("Answers", this.#kind),
        button("Show them", () => this.#load())),
      note("Those come first on which the networks' probabilities are furthest apart."),
      this.#status, this.#said, this.#grid, row(this.#earlier, this.#later));
  }

  // Say what the networks take an image of the gallery for, since their table is further down.
  show({ shown: { name, answers = [] } }) {
    const { classes, networks } = this.#course;
    const sentences = answers.map((answer, place) => `${networks[place].title}: ${classes[answer]}.`);
    say(this.#said, answers.length ? `${name}, in inference mode. ${sentences.join(" ")}` : "");
  }

  async #load() {
    const gallery = this.#course.galleries[this.#which.value];
    say(this.#status, "They are on their way …");
    try {
      if (!this.#loaded.has(gallery)) {
        this.#loaded.set(gallery, await loadGallery(this.#course, gallery, this.#count));
      }
      this.#images = this.#loaded.get(gallery);
      this.#first();
    } catch (error) {
      say(this.#status, `They could not be loaded. ${error.message} Press "Show them" once more.`);
    }
  }

  #first() {
    this.#from = 0;
    this.#show();
  }

  #turn(by) {
    this.#from += by;
    this.#show();
    // The button at an end cannot keep the focus.
    [[this.#earlier, this.#later], [this.#later, this.#earlier]].forEach(([one, other]) => {
      if (one.disabled && !other.disabled) other.focus();
    });
  }

  #show() {
    if (!this.#images.length) return;
    const { classes } = this.#course;
    const kind = this.#kind.value;
    const found = this.#images.filter((image) => !kind || image.kind === kind);
    const page = found.slice(this.#from, this.#from + AT_ONCE);
    this.#grid.replaceChildren(...page.map((image) => {
      const thumb = this.#option(image, picture(image.pixels), "live-thumb");
      thumb.title = classes[image.label];
      return thumb;
    }));
    [this.#earlier.hidden, this.#later.hidden] = new Array(2).fill(found.length <= AT_ONCE);
    this.#earlier.disabled = this.#from === 0;
    this.#later.disabled = this.#from + AT_ONCE >= found.length;
    say(this.#status, page.length
      ? `${this.#from + 1} to ${this.#from + page.length} of ${found.length.toLocaleString("en")}.`
      : "There are none of this kind.");
  }
}
