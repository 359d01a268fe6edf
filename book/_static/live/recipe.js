// What can be chosen, and the address that says what is: `images=5000&rate=0.1&network=baseline&
// network=bn_approach_one,batch=8`. What stands outside a network holds for all of them.

const number = (low, high, whole = false) => ({
  read(text) {
    const value = Number(text);
    const fits = text.trim() !== "" && value >= low && value <= high;
    return fits && (!whole || Number.isInteger(value)) ? value : undefined;
  },
  write: String,
  asked: `a ${whole ? "whole number" : "number"} from ${low} to ` +
    high.toLocaleString("en", { maximumFractionDigits: 4 }),
});

const oneOf = (...values) => ({
  read: (text) => values.find((value) => String(value) === text),
  write: String,
  asked: `one of ${values.join(", ")}`,
  values,
});

export const DEEPEST = 20;
export const WIDEST = 1000;

const widths = {
  read(text) {
    const found = text.split("-").map(Number);
    const fit = found.every((width) => Number.isInteger(width) && width >= 1 && width <= WIDEST);
    return fit && found.length <= DEEPEST ? found : undefined;
  },
  write: (value) => value.join("-"),
  asked: `the widths of 1 to ${DEEPEST} hidden layers, such as 300-100, each from 1 to ${WIDEST}`,
};

// What a network's recipe has, in the order of the page.
export const CHOICES = {
  normalization: oneOf("none", "after", "before"),
  pixels: oneOf("raw", "standardized", "normalized"),
  activation: oneOf("relu", "leaky_relu"),
  initializer: oneOf("glorot_uniform", "he_normal"),
  scale: number(0.01, 100),
  hidden: widths,
  rate: number(0.0001, 3),
  batch: number(2, 1024, true),
  order: oneOf("fresh", "same"),
  decay: number(0, 1),
  momentum: number(0, 0.9999),
  seed: number(0, 2 ** 32 - 1, true),
};

// What all networks share.
export const SHARED = {
  images: oneOf(5000, 10000, 55000),
  epochs: number(1, 200, true),
  pause: number(1, 1e7, true),
};

export const MOST = 4;

const has = (object, name) => Object.hasOwn(object, name);

// What somebody wrote, as a sentence can hold it.
const quoted = (text) => (text.length > 40 ? `${text.slice(0, 40)} …` : text) || "nothing";

const same = (name, one, other) => CHOICES[name].write(one) === CHOICES[name].write(other);

// Tell whether two recipes say the same of everything but what is left out.
export const equal = (one, other, but = []) =>
  Object.keys(CHOICES).every((name) => but.includes(name) || same(name, one[name], other[name]));

// Return the state that an address, without its #, describes, and sentences on what it says that
// cannot be. The course's networks by name are what it builds upon.
export function parse(address, course) {
  const complaints = [];
  const state = { images: 5000, epochs: 20, pause: null, networks: [] };
  const shared = {};
  const read = (choices, name, text, into) => {
    const value = choices[name].read(text);
    if (value === undefined) complaints.push(`${name} is ${choices[name].asked}, not ${quoted(text)}.`);
    else into[name] = value;
  };
  const named = [];
  for (const [name, text] of new URLSearchParams(address)) {
    if (name === "network") named.push(text);
    else if (has(SHARED, name)) read(SHARED, name, text, state);
    else if (has(CHOICES, name)) read(CHOICES, name, text, shared);
    else complaints.push(`There is nothing called "${quoted(name)}" to choose.`);
  }
  if (named.length > MOST) complaints.push(`There is room for ${MOST} networks.`);
  const starting = (named.length ? named : Object.keys(course)).slice(0, MOST);
  for (const text of starting) {
    const [name, ...changes] = text.split(",");
    if (!has(course, name)) {
      complaints.push(`There is no network "${quoted(name)}": choose ` +
        `${Object.keys(course).join(" or ")}.`);
      continue;
    }
    const recipe = { ...course[name], ...shared, network: name };
    for (const change of changes) {
      const [choice, value = ""] = change.split("=");
      if (has(CHOICES, choice)) read(CHOICES, choice, value, recipe);
      else complaints.push(`There is nothing called "${quoted(choice)}" to choose.`);
    }
    state.networks.push(recipe);
  }
  if (!state.networks.length) return { ...parse("", course), complaints };
  return { state, complaints };
}

// Return the address of a state, as short as it can be.
export function format({ images, epochs, pause, networks }, course) {
  const changed = (recipe) => Object.keys(CHOICES).filter((name) =>
    !same(name, recipe[name], course[recipe.network][name]));
  const [first] = networks;
  // What all have, although none of them has it by itself.
  const shared = changed(first).filter((name) =>
    networks.length > 1 && networks.every((recipe) => changed(recipe).includes(name) &&
      same(name, recipe[name], first[name])));
  const parts = [`images=${images}`, `epochs=${epochs}`];
  if (pause) parts.push(`pause=${pause}`);
  parts.push(...shared.map((name) => `${name}=${CHOICES[name].write(first[name])}`));
  for (const recipe of networks) {
    const own = changed(recipe).filter((name) => !shared.includes(name))
      .map((name) => `,${name}=${CHOICES[name].write(recipe[name])}`);
    parts.push(`network=${recipe.network}${own.join("")}`);
  }
  return parts.join("&");
}

// Return sentences on what a recipe would do that a reader may not expect.
export function remarks(recipe, images) {
  const found = [];
  const normalized = recipe.normalization !== "none" || recipe.pixels === "normalized";
  const rest = images % recipe.batch;
  if (normalized && rest === 1) {
    found.push("The last batch of an epoch is a single image: normalized by itself, only beta is " +
      "left of it.");
  }
  if (normalized && recipe.batch < 8) {
    found.push("So small a batch says little of the mean and the variance of all images.");
  }
  if (recipe.batch > images / 10) found.push("An epoch has very few steps.");
  return found;
}
