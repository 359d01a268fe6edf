// The laboratory: up to four networks that train side by side. What is chosen is in the address.
import { controls, described } from "./controls.js";
import { Curves, DASHES } from "./curves.js";
import {
  button, element, labelled, mark, note, row, say, spoken, staying, swatch,
} from "./elements.js";
import { hand, YOURS } from "./handing.js";
import { Images } from "./images.js";
import { Inside } from "./inside.js";
import { Numbers } from "./numbers.js";
import { CHOICES, equal, format, MOST, parse, SHARED } from "./recipe.js";
import { Session } from "./session.js";
import { Strip } from "./strip.js";

const FOURTH = { color: "#0f766e", dark: "#5eead4" };
const EPOCHS = { 5000: 20, 10000: 20, 55000: 10 };
const SPEEDS = { "as fast as it goes": 0, "100 steps a second": 100, "10 steps a second": 10,
  "1 step a second": 1 };
const CLEAR = 0.02;   // the lead in accuracy that is worth a sentence
const LONGEST = 160;  // characters that this sentence has at most
const CALM = 1000;  // milliseconds between two pictures for those who want less motion

const count = (value) => value.toLocaleString("en");
// A title before the rest of its sentence.
const subject = (title) => (title.includes(",") ? `${title},` : title);
const percent = (share) => `${(100 * share).toFixed(1)}%`;

function seconds(value) {
  if (value === null) return "";
  const [share, unit] = value < 90 ? [1, "s"] : value < 5400 ? [60, "min"] : [3600, "h"];
  return `${Math.max(1, Math.round(value / share))}\u00a0${unit} left`;
}

export class Laboratory {
  #about;            // of each network of the course: title, colours, band
  #course;           // their recipes
  #state;
  #small;
  #classes;
  #sizes;
  #images = null;    // what loads them
  #loading = null;   // images on their way, and how many
  #loaded = null;    // images, and of how many
  #shown = [];       // what is drawn: session, title, color, band
  #cards = element("ul", { className: "live-networks" });
  #curves = new Curves();
  #inside = new Inside();
  #numbers = new Numbers();
  #strip = null;
  #garments = element("div");
  // On what the address says; it stays while one trains.
  #complaints = element("p", { role: "status", className: "live-note" });
  #status = element("p", { role: "status", className: "live-status" });
  #bar = element("progress", { hidden: true, max: 1, "aria-label": "Loading the images" });
  #playing = false;
  #resumed = false;
  #speed = 0;
  #waiting = false;
  #drawn = 0;
  #address;
  #networks;         // the page "Try the networks"

  constructor(dataset) {
    this.#networks = dataset.networks;
    const course = JSON.parse(dataset.course);
    this.#about = Object.fromEntries(course.map((network) => [network.name, network]));
    this.#course = Object.fromEntries(course.map(({ name, recipe }) =>
      [name, { ...recipe, network: name }]));
    this.#classes = JSON.parse(dataset.classes);
    this.#sizes = JSON.parse(dataset.sizes);
    this.#address = new URL(dataset.images, document.baseURI);
    this.#small = "with" in dataset;
    const { state, complaints } =
      parse(this.#small ? dataset.with : location.hash.slice(1), this.#course);
    this.#state = state;
    this.element = element("div", { className: "live-laboratory" }, ...this.#parts(dataset));
    this.#begin();
    this.#complain(complaints);
    this.#listen();
  }

  // Draw what there is, and train if it is wanted.
  async begin(playing) {
    this.#draw();
    this.main.focus({ preventScroll: true });
    if (playing) await this.#play();
  }

  #parts(dataset) {
    this.main = button("Train", () => (this.#playing ? this.#pause() : this.#play()),
      { className: "live-button live-main" });
    const speed = element("select", { onchange: () => {
      this.#speed = Number(speed.value);
      if (this.#playing) this.#sessions((session) => session.play(this.#speed, this.#state.pause));
    } }, ...Object.entries(SPEEDS).map(([text, value]) => element("option", { value }, text)));
    const top = element("div", { className: "live-top" },
      row(
        this.main,
        button("Step", () => this.#step()),
        button("Restart", () => this.#restart()),
      ),
      this.#status, this.#bar, this.#curves.element);
    staying(top);
    if (this.#small) {
      const link = element("a", { href: `${dataset.page}#${format(this.#state, this.#course)}` },
        "Change this experiment, and look inside");
      return [this.#complaints, top, this.#cards, element("p", {}, link)];
    }
    this.images = element("select", { onchange: () => {
      const images = Number(this.images.value);
      this.#change({ ...this.#state, images, epochs: EPOCHS[images] });
    } }, ...SHARED.images.values.map((value) =>
      element("option", { value }, `${count(value)} (${this.#mib(value)} MiB)`)));
    this.epochs = element("input", { type: "number", min: 1, max: 200, onchange: () => {
      const epochs = SHARED.epochs.read(this.epochs.value);
      this.epochs.setAttribute("aria-invalid", epochs === undefined);
      if (epochs === undefined) say(this.#status, `Epochs: ${SHARED.epochs.asked}.`);
      else this.#change({ ...this.#state, epochs });
    } });
    this.more = button("Add a network", () => this.#add());
    return [this.#complaints, top,
      this.#cards,
      row(this.more, labelled("Training images", this.images), labelled("Epochs", this.epochs),
        labelled("Speed", speed)),
      this.#garments,
      this.#inside.element,
      this.#numbers.element,
      row(
        button("Copy the address", () => this.#copy()),
        button("Save as CSV", () =>
          this.#save(new Blob([this.#numbers.csv(this.#shown)], { type: "text/csv" }), "csv")),
        button("Save as PNG", async () => {
          const background = getComputedStyle(document.body).backgroundColor;
          this.#save(await this.#curves.picture(this.#shown, background), "png");
        }),
      ),
    ];
  }

  #listen() {
    document.addEventListener("visibilitychange", () => {
      if (document.hidden && this.#playing) {
        this.#resumed = true;
        this.#sessions((session) => session.pause());
      } else if (!document.hidden && this.#resumed) {
        this.#resumed = false;
        this.#sessions((session) => session.play(this.#speed, this.#state.pause));
      }
    });
    new MutationObserver(() => {
      this.#name();
      this.#draw();
    }).observe(document.documentElement, { attributeFilter: ["data-theme"] });
    new ResizeObserver(() => this.#draw()).observe(this.element);
    if (this.#small) return;
    window.addEventListener("hashchange", () => {
      const { state, complaints } = parse(location.hash.slice(1), this.#course);
      if (!location.hash.includes("=")) return;
      if (format(state, this.#course) === format(this.#state, this.#course)) return;
      this.#pause();
      this.#state = state;
      this.#begin();
      this.#complain(complaints);
      say(this.#status, "An experiment is chosen: press Train.");
      this.main.focus({ preventScroll: true });
      this.element.scrollIntoView({ block: "start" });
    });
  }

  #complain(complaints) {
    say(this.#complaints, complaints.join(" "));
  }

  // What leads to this very experiment, wherever on the page one has gone meanwhile.
  #link() {
    return new URL(`#${format(this.#state, this.#course)}`, location.href).href;
  }

  #sessions(call) {
    this.#shown.forEach(({ session }) => call(session));
  }

  #recipe(recipe) {
    const { images, epochs } = this.#state;
    return { ...recipe, images, epochs };
  }

  // Make all networks anew, untrained.
  #begin() {
    this.#sessions((session) => session.stop());
    this.#shown = this.#state.networks.map((recipe) =>
      ({ session: new Session(this.#recipe(recipe), (what, session) => this.#hear(what, session)) }));
    this.#playing = false;
    this.#build();
  }

  // Take another state; networks that it does not change train on.
  async #change(state) {
    const before = this.#shown;
    const whole = state.images !== this.#state.images || state.epochs !== this.#state.epochs;
    const playing = this.#playing;
    this.#state = state;
    this.#complain([]);
    if (whole) {
      this.#begin();
      if (playing) await this.#play();
      return;
    }
    const kept = new Set();
    this.#shown = state.networks.map((recipe) => {
      const old = before.find(({ session }) => !kept.has(session) &&
        session.recipe.network === recipe.network && equal(session.recipe, recipe));
      if (old) {
        kept.add(old.session);
        return { session: old.session };
      }
      return { session: new Session(this.#recipe(recipe), (what, one) => this.#hear(what, one)) };
    });
    before.filter(({ session }) => !kept.has(session)).forEach(({ session }) => session.stop());
    this.#build();
    if (playing) await this.#play();
  }

  // Build what depends on which networks there are.
  #build() {
    this.#name();
    this.#cards.replaceChildren(...this.#shown.map((one, place) => this.#card(one, place)));
    if (!this.#small) {
      this.images.value = this.#state.images;
      this.epochs.value = this.#state.epochs;
      this.more.disabled = this.#shown.length >= MOST;
      this.#inside.begin(this.#shown);
      this.#strip?.begin(this.#shown);
      history.replaceState(null, "", this.#link());
      this.#curves.begin(this.#shown);
    }
    this.#draw();
  }

  // Give each network its title, its colour, and the band of the course's runs of its recipe.
  #name() {
    const dark = document.documentElement.dataset.theme === "dark";
    const { networks, images, epochs } = this.#state;
    const colours = [FOURTH, ...Object.values(this.#about)];
    const taken = new Set();
    const changes = ({ network, ...recipe }) => Object.keys(CHOICES).filter((name) =>
      CHOICES[name].write(recipe[name]) !== CHOICES[name].write(this.#course[network][name])).length;
    networks.forEach((recipe, place) => {
      const of = networks.filter(({ network }) => network === recipe.network);
      // The network that is most like the course's own has its colour.
      const own = of.sort((one, other) => changes(one) - changes(other))[0] === recipe;
      this.#shown[place].colour = own ? this.#about[recipe.network] : null;
      if (own) taken.add(this.#about[recipe.network]);
    });
    networks.forEach((recipe, place) => {
      const one = this.#shown[place];
      const about = this.#about[recipe.network];
      one.dash = DASHES[place];
      one.colour ??= colours.find((colour) => !taken.has(colour));
      taken.add(one.colour);
      one.color = dark ? one.colour.dark : one.colour.color;
      const own = this.#course[recipe.network];
      // What all networks have is not worth a word in their titles.
      const shared = Object.fromEntries(Object.keys(CHOICES)
        .filter((name) => networks.length > 1 && networks.every((other) =>
          CHOICES[name].write(other[name]) === CHOICES[name].write(recipe[name])))
        .map((name) => [name, recipe[name]]));
      const words = described(recipe, { ...own, ...shared });
      one.title = about.title + (words ? `, ${words}` : "");
      const { band } = about;
      one.band = band.images === images && band.epochs === epochs &&
        equal(recipe, own, ["seed"]) ? band : null;
    });
  }

  #card({ session, title, band }, place) {
    const line = swatch();
    const progress = element("progress", { max: 1, value: 0, "aria-label": `Progress: ${title}` });
    const text = element("span", { className: "live-progress" });
    Object.assign(this.#shown[place], { progress, text, line });
    const head = element("div", { className: "live-network" }, line, element("strong", {}, title));
    const bands = band ? [note("The band: the course's own five runs of this recipe.")] : [];
    if (this.#small) return element("li", {}, head, progress, text, ...bands);
    const body = element("div");
    const remove = button("Remove this network", () => {
      this.#change({ ...this.#state, networks: this.#state.networks.toSpliced(place, 1) });
      this.more.focus();
    }, { disabled: this.#shown.length === 1 });
    const tried = button("Ask it in \"Try the networks\"", () => this.#hand(place));
    const build = () => body.replaceChildren(
      controls(this.#state.networks[place], this.#state.images, async (recipe) => {
        const networks = this.#state.networks.with(place, recipe);
        const named = document.activeElement?.closest(".live-field")?.firstChild.textContent;
        await this.#change({ ...this.#state, networks });
        this.#reopen(place, named);
      }), row(tried, remove));
    const details = element("details", { className: "live-details", ontoggle: () => {
      if (details.open && !body.hasChildNodes()) build();
    } }, element("summary", {}, "Change", spoken(` ${title}`)), body);
    Object.assign(this.#shown[place], { details, build });
    return element("li", {}, head, progress, text, ...bands, details);
  }

  // A change makes the cards anew: open the one that was open, and go back to its control.
  #reopen(place, named) {
    const { details, build } = this.#shown[place];
    details.open = true;
    build();
    const labels = [...details.querySelectorAll("label")];
    const label = labels.find(({ textContent }) => textContent === named);
    if (label) document.getElementById(label.htmlFor).focus({ preventScroll: true });
  }

  #add() {
    const { networks } = this.#state;
    const present = new Set(networks.map(({ network }) => network));
    const missing = Object.values(this.#course).find(({ network }) => !present.has(network));
    const place = networks.length;
    const added = missing ?? { ...networks.at(-1), seed: networks.at(-1).seed + 1 };
    this.#change({ ...this.#state, networks: [...networks, added] });
    this.#reopen(place, "Learning rate");
  }

  // Load images that are still missing, and bring every network to where it can train.
  async #ready() {
    // While some are loaded, others may be chosen.
    while (this.#loaded?.count !== this.#state.images) {
      const { images } = this.#state;
      this.#bar.hidden = false;
      say(this.#status, "The images are on their way …");
      try {
        this.#loaded = { count: images, parts: await this.#load(images) };
      } catch (error) {
        say(this.#status, `The images could not be loaded. ${error.message} Press Train once more.`);
        return false;
      } finally {
        this.#bar.hidden = true;
      }
    }
    if (!this.#strip && !this.#small) {
      this.#strip = new Strip(this.#classes, this.#loaded.parts.shown);
      this.#garments.replaceChildren(this.#strip.element);
      this.#strip.begin(this.#shown);
    }
    this.#sessions((session) => {
      if (session.state === "new") session.start(this.#loaded.parts);
    });
    return true;
  }

  // Return the images, which come once for all that ask while they are on their way.
  #load(images) {
    if (this.#loading?.images === images) return this.#loading.parts;
    const all = async () => {
      this.#bar.value = 0;
      this.#images ??= await Images.at(this.#address);
      return this.#images.load(images, (share) => { this.#bar.value = share; });
    };
    const loading = { images, parts: all() };
    this.#loading = loading;
    const done = () => {
      if (this.#loading === loading) this.#loading = null;
    };
    loading.parts.then(done, done);
    return loading.parts;
  }

  async #play() {
    this.#set(true);
    if (!(await this.#ready())) return this.#set(false);
    if (!this.#playing) return undefined;
    if (this.#shown.every(({ session }) => session.ended)) this.#sessions((s) => s.start());
    if (!this.#playing) return undefined;
    const { pause } = this.#state;
    // Once it has paused where the address says, it trains on.
    const passed = this.#shown.some(({ session }) => pause && session.step >= pause);
    if (passed) this.#state = { ...this.#state, pause: null };
    say(this.#status, "Training.");
    this.#resumed = document.hidden;
    if (!document.hidden) {
      this.#sessions((session) => session.play(this.#speed, this.#state.pause));
    }
    return undefined;
  }

  #pause() {
    if (!this.#playing) return;
    this.#set(false);
    this.#sessions((session) => session.pause());
    say(this.#status, "Paused.");
  }

  async #step() {
    this.#pause();
    if (!(await this.#ready())) return;
    const ended = this.#shown.every(({ session }) => session.ended);
    say(this.#status, ended ? "All networks have ended: Restart begins anew." : "A step further.");
    this.#sessions((session) => session.play(0, null, 1));
  }

  #restart() {
    const playing = this.#playing;
    this.#begin();
    say(this.#status, "All networks are as before their first step.");
    if (playing) this.#play();
  }

  #set(playing) {
    this.#playing = playing;
    this.main.textContent = playing ? "Pause" : "Train";
  }

  #hear(what, session) {
    if (what === "state") {
      const { title } = this.#shown.find((one) => one.session === session) ?? {};
      if (!title) return;
      if (session.state === "diverged") {
        say(this.#status, `${subject(title)} has diverged: after step ${count(session.step)} ` +
          "its loss is no finite number.");
      }
      if (session.state === "ready" && session.message === "JavaScript" && this.#playing) {
        say(this.#status, "Training in JavaScript, which is slow: this browser does not allow " +
          "WebAssembly with SIMD.");
      }
      const states = this.#shown.map((one) => one.session.state);
      const moving = states.some((state) => ["new", "starting", "ready", "playing"].includes(state));
      if (this.#playing && !moving && !this.#resumed && !document.hidden) {
        this.#set(false);
        this.#conclude(states.includes("paused") ? "Paused where the address says." : "Ended.");
      }
    }
    this.#draw();
  }

  // Say how the networks have ended. What the legend shows anyway is only spoken.
  #conclude(how) {
    const [right, stopped] = [[], []];
    for (const { title, session: { state, step, accuracy, message } } of this.#shown) {
      const who = subject(title);
      if (state === "failed") stopped.push(`${who} cannot be trained here: ${message.replace(/\.$/, "")}.`);
      else if (state === "diverged") stopped.push(`${who} diverged after step ${count(step)}.`);
      else if (accuracy !== null) right.push(`${title} ${percent(accuracy)}`);
    }
    const all = right.length ? ` Validation images right: ${right.join("; ")}.` : "";
    this.#status.replaceChildren(
      [how, ...stopped, this.#compared()].filter(Boolean).join(" "), spoken(all));
  }

  // Return in a sentence how much sooner one network was where another is in the end.
  #compared() {
    const ended = this.#shown.filter(({ session }) => session.state === "finished")
      .sort((one, other) => one.session.accuracy - other.session.accuracy);
    const [worst, best] = [ended[0], ended.at(-1)];
    if (!best || best.session.accuracy - worst.session.accuracy < CLEAR) return "";
    const { evaluations, steps } = best.session;
    const { step } = evaluations.find(({ accuracy }) => accuracy >= worst.session.accuracy);
    if (!step || step > steps / 2) return "";
    const sentence = `${subject(best.title)} reached the final ` +
      `${percent(worst.session.accuracy)} of ${subject(worst.title)} after ${count(step)} of ` +
      `${count(steps)} steps.`;
    return sentence.length > LONGEST ? "" : sentence;
  }

  // Draw once for each picture of the screen, or less often.
  #draw() {
    if (this.#waiting) return;
    this.#waiting = true;
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const wait = calm ? Math.max(0, this.#drawn + CALM - performance.now()) : 0;
    const frame = () => requestAnimationFrame(() => {
      this.#waiting = false;
      this.#drawn = performance.now();
      this.#paint();
    });
    if (wait) setTimeout(frame, wait);
    else frame();
  }

  #paint() {
    this.#curves.draw(this.#shown);
    for (const { session, progress, text, line: piece, ...look } of this.#shown) {
      mark(piece, look);
      progress.value = session.step / session.steps;
      const words = [
        `step ${count(session.step)} of ${count(session.steps)}`,
        session.state === "diverged" ? "diverged" : "",
        session.accuracy === null ? "" : `validation ${percent(session.accuracy)}`,
        seconds(session.secondsLeft),
      ];
      const line = words.filter(Boolean).join(" · ");
      if (text.textContent !== line) text.textContent = line;
    }
    this.#strip?.draw(this.#shown);
    this.#inside.draw(this.#shown);
    this.#numbers.draw(this.#shown);
  }

  async #copy() {
    try {
      history.replaceState(null, "", this.#link());
      await navigator.clipboard.writeText(location.href);
      say(this.#status, "The address is copied: it leads to this very experiment.");
    } catch {
      say(this.#status, "Copy it from the browser's address bar: it leads to this very experiment.");
    }
  }

  async #hand(place) {
    const { session, title, colour } = this.#shown[place];
    if (session.state === "new") return say(this.#status, "Train it first, if only a step.");
    try {
      const layers = await session.hand();
      await hand({ title: `Yours: ${title}`, color: colour.color, dark_color: colour.dark, layers });
    } catch (error) {
      return say(this.#status, `The network could not be handed on. ${error.message}`);
    }
    location.href = `${this.#networks}#${YOURS}`;
    return undefined;
  }

  #save(blob, kind) {
    const href = URL.createObjectURL(blob);
    element("a", { href, download: `training.${kind}` }).click();
    setTimeout(() => URL.revokeObjectURL(href), 1000);
  }

  #mib(images) {
    return (this.#sizes[images] / 2 ** 20).toFixed(1);
  }
}
