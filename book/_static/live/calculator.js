// The calculator: change the widths, and the table and the formulas follow.
import { element, labelled, note, row } from "./elements.js";
import { count, total } from "./parameters.js";

const LARGEST = 100000;
const SUMS = { trained: "Trained", rest: "Not trained", all: "Total" };
const number = (value) => value.toLocaleString("en");

function line(name, values) {
  const cells = values.map((value) => element("td", {}, value));
  return element("tr", {}, element("th", { scope: "row" }, name), ...cells);
}

function table(networks) {
  const titles = networks.map(({ title }) => element("th", { scope: "col" }, title));
  const layers = networks[0].layers.flatMap((_, place) => {
    const counted = networks.map((network) => network.layers[place]);
    const name = counted.find(Boolean)?.name;
    const values = counted.map((layer) => (layer ? number(layer.trained + layer.rest) : "–"));
    return name ? [line(name, values)] : [];
  });
  const sums = Object.entries(SUMS).map(([sum, name]) =>
    line(name, networks.map((network) => number(total(network.layers)[sum]))),
  );
  return element("table", { className: "dataframe" },
    element("thead", {}, element("tr", {}, element("td"), ...titles)),
    element("tbody", {}, ...layers, ...sums),
  );
}

function formula({ title, layers }) {
  const terms = layers.filter(Boolean).map((layer) =>
    layer.formula.includes("+") ? `(${layer.formula})` : layer.formula,
  );
  return element("p", {},
    element("strong", {}, `${title}: `),
    `${terms.join(" + ")} = ${number(total(layers).all)}`,
  );
}

// Return what is wrong with the text in a field, or an empty text.
function complaint(name, text) {
  const width = Number(text);
  if (text && Number.isInteger(width) && width >= 1 && width <= LARGEST) return "";
  const instead = text ? `, not ${text}` : "";
  return `${name}: a width is a whole number from 1 to ${number(LARGEST)}${instead}.`;
}

for (const place of document.querySelectorAll('[data-live="calculator"]')) {
  const structures = JSON.parse(place.dataset.networks);
  const widths = place.dataset.widths.split(" ");
  const names = widths.map((_, index) => {
    if (index === 0) return "Inputs";
    return index === widths.length - 1 ? "Classes" : `Hidden layer ${index}`;
  });
  const fields = widths.map((value, index) =>
    element("input", {
      type: "number", min: 1, max: LARGEST, value, name: names[index],
      "aria-describedby": "live-complaint", inputMode: "numeric",
    }),
  );
  const complaints = element("p", { id: "live-complaint", role: "status" });
  const result = element("div");

  const calculate = () => {
    const wrong = fields.map((field) => complaint(field.name, field.value));
    fields.forEach((field, index) => field.setAttribute("aria-invalid", Boolean(wrong[index])));
    complaints.textContent = wrong.filter(Boolean).join(" ");
    result.hidden = wrong.some(Boolean);
    if (result.hidden) return;
    const chosen = fields.map((field) => Number(field.value));
    const networks = structures.map((structure) =>
      ({ title: structure.title, layers: count(structure, chosen) }));
    const scroll = element("div", { className: "live-scroll" }, table(networks));
    result.replaceChildren(scroll, ...networks.map(formula));
    // The keyboard can scroll what is wider than its place.
    if (scroll.scrollWidth > scroll.clientWidth) scroll.tabIndex = 0;
  };
  fields.forEach((field) => field.addEventListener("input", calculate));
  const controls = fields.map((field, index) => labelled(names[index], field));
  const shallow = structures.filter(({ depth }) => depth < widths.length - 2);
  const notes = shallow.length === 0 ? [] : [
    note(`Of the hidden layers, ${shallow.map(({ title }) => title).join(", ")} have the first.`),
  ];
  place.replaceChildren(row(...controls), ...notes, complaints, result);
  calculate();
}
