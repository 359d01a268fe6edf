// How the scripts of a page make its elements.

// Make an element with properties, or attributes where it has no such property.
export function element(name, properties = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key in made) made[key] = value;
    else made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

export const button = (text, onclick, properties = {}) =>
  element("button", { type: "button", className: "live-button", onclick, ...properties }, text);

export const row = (...children) => element("div", { className: "live-row" }, ...children);

export const note = (...children) => element("p", { className: "live-note" }, ...children);

// A group of controls under one name.
export const group = (name, ...children) =>
  element("fieldset", {}, element("legend", {}, name), ...children);

// A short piece of a network's line, see `mark`.
export const swatch = () => element("span", { className: "live-swatch" });

const marked = new WeakMap();

// Give a piece of a line its colour and its dashes: lengths that are drawn and left out in turn.
export function mark(piece, { color, dash }) {
  // Asked for with each picture, but hardly ever another one.
  if (marked.get(piece) === color) return;
  marked.set(piece, color);
  let at = 0;
  const stops = dash.map((length, place) =>
    `${place % 2 ? "transparent" : color} ${at}px ${at += length}px`);
  piece.style.background = dash.length
    ? `repeating-linear-gradient(to right, ${stops.join(", ")})` : color;
}

// A control with its name in front.
export function labelled(name, control) {
  control.id = `live-${name.toLowerCase().replaceAll(" ", "-")}`;
  return element("div", {}, element("label", { htmlFor: control.id }, name), " ", control);
}

// A place that scrolls by itself what is wider; the keyboard can do it where there is need.
export function scrolling(child) {
  const place = element("div", { className: "live-scroll" }, child);
  const look = () => {
    if (place.scrollWidth > place.clientWidth) place.tabIndex = 0;
    else place.removeAttribute("tabindex");
  };
  const observer = new ResizeObserver(look);
  observer.observe(place);
  observer.observe(child);
  return place;
}

// Let the style sheet know how high a part is that stays in sight, for what is below it.
export function staying(part) {
  new ResizeObserver(() =>
    part.parentElement?.style.setProperty("--live-top", `${part.offsetHeight}px`)).observe(part);
}

// A table with its name, its columns' heads, and rows that begin with their head.
export function table(name, heads, rows) {
  return scrolling(element("table", { className: "dataframe" },
    element("caption", {}, name),
    element("thead", {}, element("tr", {}, element("td"),
      ...heads.map((head) => element("th", { scope: "col" }, head)))),
    element("tbody", {}, ...rows.map(([head, ...values]) =>
      element("tr", {}, element("th", { scope: "row" }, head),
        ...values.map((value) => element("td", {}, value)))))));
}

// What only a screen reader says.
export const spoken = (text, properties = {}) =>
  element("span", { className: "live-spoken", ...properties }, text);

// Change a text that is read out, but not into itself, which would be read once more.
export function say(place, text) {
  if (place.textContent !== text) place.textContent = text;
}

const WORDS = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];

// A small number as a word.
export const word = (number) => WORDS[number] ?? String(number);
