// The choices of one network. What does not fit together is not offered, and says why.
import { element, note } from "./elements.js";
import { CHOICES, DEEPEST, remarks, WIDEST } from "./recipe.js";

let named = 0;

// A control below its name.
function field(name, control, about = "") {
  named += 1;
  control.id = `live-choice-${named}`;
  const explained = about ? [element("p", { className: "live-note", id: `${control.id}-note` }, about)] : [];
  if (about) control.setAttribute("aria-describedby", `${control.id}-note`);
  return element("div", { className: "live-field" },
    element("label", { htmlFor: control.id }, name), control, ...explained);
}

const TITLES = {
  normalization: ["Normalization", {
    none: "none", after: "BN after each activation", before: "BN before each activation",
  }],
  pixels: ["Pixels", {
    raw: "as they are", standardized: "standardized once", normalized: "BN",
  }],
  activation: ["Activation", { relu: "ReLU", leaky_relu: "leaky ReLU, slope 0.3" }],
  initializer: ["First weights", { glorot_uniform: "Glorot uniform", he_normal: "He normal" }],
  order: ["Order of the images", { fresh: "new in each epoch", same: "the same in each epoch" }],
};

const NUMBERS = {
  scale: "First weights times",
  rate: "Learning rate",
  batch: "Batch size",
  decay: "Weight decay",
  momentum: "Momentum of the averages",
  seed: "Seed",
};

// What a list of the usual values offers beside typing.
const USUAL = {
  rate: [0.0001, 0.001, 0.01, 0.03, 0.1, 0.3, 1, 3],
  batch: [2, 8, 32, 128, 512, 1024],
  scale: [0.1, 0.5, 1, 2, 10],
};

// Return the controls of a recipe; each choice that can be calls back with the new recipe.
export function controls(recipe, images, change) {
  // A complaint stands below the control that it is about.
  const complained = (control, text) => {
    control.setAttribute("aria-invalid", Boolean(text));
    control.complaint ??= control.parentElement.appendChild(
      element("p", { role: "status", className: "live-complaint" }));
    control.complaint.textContent = text;
  };
  const set = (name, value) => change({ ...recipe, [name]: value });

  const select = (name) => {
    const [title, options] = TITLES[name];
    const control = element("select", { onchange: () => set(name, control.value) },
      ...Object.entries(options).map(([value, text]) =>
        element("option", { value, selected: value === recipe[name] }, text)));
    return [title, control];
  };

  const typed = (name, about) => {
    const control = element("input", {
      type: "text", inputMode: "decimal", autocomplete: "off", value: String(recipe[name]),
      onchange: () => {
        const value = CHOICES[name].read(control.value.replace(",", "."));
        complained(control, value === undefined
          ? `${NUMBERS[name]}: ${CHOICES[name].asked}, not ${control.value || "nothing"}.` : "");
        if (value !== undefined) set(name, value);
      },
    });
    const made = field(NUMBERS[name], control, about);
    if (USUAL[name]) {
      const list = element("datalist", { id: `${control.id}-usual` },
        ...USUAL[name].map((value) => element("option", { value })));
      control.setAttribute("list", list.id);
      made.append(list);
    }
    return made;
  };

  const count = (title, value, most, changed) => {
    const control = element("input", { type: "number", min: 1, max: most, value,
      onchange: () => {
        const wanted = Number(control.value);
        const fits = Number.isInteger(wanted) && wanted >= 1 && wanted <= most;
        complained(control, fits ? ""
          : `${title}: a whole number from 1 to ${most}, not ${control.value || "nothing"}.`);
        if (fits) changed(wanted);
      } });
    return field(title, control);
  };

  const { hidden } = recipe;
  const normalized = recipe.normalization !== "none" || recipe.pixels === "normalized";
  const momentum = typed("momentum", normalized ? "" : "Without BN there are no averages.");
  momentum.querySelector("input").disabled = !normalized;
  const offered = ["normalization", "pixels", "activation", "initializer"].map((name) =>
    field(...select(name)));
  const widths = count("Units of each", hidden[0], WIDEST, (width) =>
    set("hidden", hidden.map(() => width)));
  const uneven = new Set(hidden).size > 1;
  if (uneven) widths.append(note(`Now ${hidden.join(", ")}.`));
  return element("div", { className: "live-controls" },
    typed("rate"),
    typed("batch"),
    ...offered,
    // A deeper network repeats its last width, a shallower one has the first.
    count("Hidden layers", hidden.length, DEEPEST, (depth) =>
      set("hidden", Array.from({ length: depth }, (_, place) => hidden[place] ?? hidden.at(-1)))),
    widths,
    field(...select("order")),
    typed("scale"),
    typed("decay"),
    momentum,
    typed("seed"),
    ...remarks(recipe, images).map((text) => note(text)),
  );
}

// Return the choices in words, as far as they differ from another recipe's.
export function described(recipe, other) {
  const words = Object.keys(CHOICES).filter((name) =>
    CHOICES[name].write(recipe[name]) !== CHOICES[name].write(other[name]));
  return words.map((name) => {
    if (name === "hidden") return `hidden layers ${recipe.hidden.join(", ")}`;
    if (name in NUMBERS) return `${NUMBERS[name].toLowerCase()} ${recipe[name]}`;
    return `${TITLES[name][0].toLowerCase()}: ${TITLES[name][1][recipe[name]]}`;
  }).join(", ");
}

