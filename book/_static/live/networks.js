// The page of the three networks: choose or draw, switch the mode, add neighbours, turn a unit.
import { Drawing, picture } from "./drawing.js";
import { button, element, group, labelled, spoken } from "./elements.js";
import { load } from "./loading.js";
import { changed, predict, scaled } from "./prediction.js";

const percent = (share) => `${(100 * share).toFixed(1)}%`;
const largest = (shares) => shares.indexOf(Math.max(...shares));

for (const place of document.querySelectorAll('[data-live="networks"]')) {
  const status = element("p", { role: "status" });
  const start = button("Load the three networks", async () => {
    status.textContent = "The networks are on their way …";
    try {
      const course = await load(new URL(place.dataset.contents, document.baseURI));
      place.replaceChildren(...page(course));
      place.querySelector("input").focus();
    } catch (error) {
      status.textContent = `The networks could not be loaded. ${error.message} Try once more.`;
    }
  });
  place.replaceChildren(start, status);
}

function page(course) {
  // What the reader has set.
  const set = { shown: course.garments[0], training: false, neighbours: [], unit: null };
  const result = table(course);
  const own = { name: "Your drawing", label: null };
  const drawing = new Drawing(() => update());
  own.pixels = drawing.pixels;

  // All that is recomputed, but once for each picture on the screen.
  let waiting = false;
  function update() {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      result.show(set, probabilities());
    });
  }

  function probabilities() {
    const batch = set.training ? [set.shown, ...set.neighbours] : [set.shown];
    const images = batch.map(({ pixels }) => scaled(pixels));
    return course.networks.map((network) => {
      const { name, place, unit, values } = set.unit ?? {};
      const present = name === network.name ? changed(network, place, unit, values) : network;
      return [...predict(present, images, set.training)[0]];
    });
  }

  const parts = [
    choice(course, own, drawing, (image) => {
      set.shown = image;
      update();
    }),
    result.element,
    modes((training) => {
      set.training = training;
      update();
    }),
    batch(course, set, update),
    units(course.networks, (unit) => {
      set.unit = unit;
      update();
    }),
  ];
  update();
  return parts;
}

function choice(course, own, drawing, choose) {
  const radios = [...course.garments, own].map((image, index) => {
    const radio = element("input", { type: "radio", name: "live-garment", checked: index === 0 });
    const look = image === own ? element("span", { "aria-hidden": "true" }, "Draw") : picture(image.pixels);
    radio.onchange = () => {
      board.hidden = image !== own;
      if (image !== own) last = image;
      choose(image);
    };
    return element("label", { className: "live-thumb" }, radio, look, spoken(image.name));
  });
  let last = course.garments[0];
  const board = element("div", { hidden: true },
    element("p", {},
      "Draw with a pointer. Or focus the drawing: the arrow keys move the orange point, the ",
      "space bar draws there, Shift with an arrow draws a line, and Backspace rubs out.",
    ),
    drawing.canvas,
    element("div", { className: "live-row" },
      button("Copy the last garment", () => drawing.set(last.pixels)),
      button("Clear the drawing", () => drawing.set(new Uint8Array(last.pixels.length))),
    ),
  );
  return group("A garment", element("div", { className: "live-row" }, ...radios), board);
}

function table({ classes, networks }) {
  const shown = element("div", { className: "live-shown", "aria-hidden": "true" });
  const status = element("p", { role: "status" });
  const rows = classes.map((name) => {
    const head = element("th", { scope: "row" }, name);
    const cells = networks.map(({ color, dark_color: dark }) => {
      const [share, bar] = [element("span"), element("span", { className: "live-bar" })];
      bar.style.setProperty("--light", color);
      bar.style.setProperty("--dark", dark);
      return { share, bar, cell: element("td", {}, share, bar) };
    });
    return { head, cells };
  });
  const titles = networks.map(({ title }) => element("th", { scope: "col" }, title));
  const numbers = element("table", { className: "live-table" },
    element("caption", {}, "How likely each network takes it for what. ✓ marks what it is."),
    element("thead", {}, element("tr", {}, element("td"), ...titles)),
    element("tbody", {},
      ...rows.map(({ head, cells }) => element("tr", {}, head, ...cells.map(({ cell }) => cell))),
    ),
  );

  function show(set, probabilities) {
    shown.replaceChildren(picture(set.shown.pixels));
    rows.forEach(({ head, cells }, label) => {
      head.textContent = classes[label] + (label === set.shown.label ? " ✓" : "");
      cells.forEach(({ share, bar, cell }, network) => {
        const shares = probabilities[network];
        share.textContent = percent(shares[label]);
        bar.style.width = `${100 * shares[label]}%`;
        cell.className = label === largest(shares) ? "live-answer" : "";
      });
    });
    const answers = networks.map(({ title }, network) => {
      const label = largest(probabilities[network]);
      return `${title}: ${classes[label]}, ${percent(probabilities[network][label])}.`;
    });
    const mode = set.training
      ? `training mode, a batch of ${1 + set.neighbours.length}`
      : "inference mode";
    status.textContent = `${set.shown.name}, ${mode}. ${answers.join(" ")}`;
  }

  const answer = element("div", { className: "live-row" }, shown, status);
  return { element: element("div", {}, answer, numbers), show };
}

function modes(choose) {
  const mode = (name, training) =>
    element("label", {},
      element("input", {
        type: "radio", name: "live-mode", checked: !training, onchange: () => choose(training),
      }),
      ` ${name}`,
    );
  const row = [
    mode("Inference: with the moving averages", false),
    mode("Training: with this batch's own mean and variance", true),
  ];
  return group("Mode", element("div", { className: "live-row" }, ...row));
}

function batch({ classes, garments }, set, update) {
  const list = element("div", { className: "live-row" });
  const status = element("p", { role: "status" });
  const offers = new Map([
    ["the garment shown above", () => [{ ...set.shown, pixels: set.shown.pixels.slice() }]],
    ["one garment of each class", () => classes.map((_, label) =>
      garments.find((garment) => garment.label === label))],
    ...classes.map((name, label) => [`class ${name}`, () =>
      garments.filter((garment) => garment.label === label)]),
  ]);
  const offer = element("select", {},
    ...[...offers.keys()].map((name) => element("option", {}, name)),
  );

  function show() {
    list.replaceChildren(...set.neighbours.map((image, index) =>
      button("", () => {
        set.neighbours.splice(index, 1);
        show();
        (list.children[index] ?? list.lastElementChild ?? offer).focus();
      }, { className: "live-thumb", "aria-label": `Take out ${image.name}` }),
    ));
    [...list.children].forEach((thumb, index) => {
      thumb.append(picture(set.neighbours[index].pixels));
    });
    const count = set.neighbours.length;
    status.textContent = count
      ? `${count} beside the garment shown. Press one to take it out.`
      : "The garment shown is alone in its batch.";
    update();
  }

  const controls = element("div", { className: "live-row" },
    labelled("Add", offer),
    button("Add to the batch", () => {
      set.neighbours.push(...offers.get(offer.value)().filter(Boolean));
      show();
    }),
    button("Take all out", () => {
      set.neighbours.length = 0;
      show();
    }),
  );
  show();
  return group("Its neighbours in the batch, which count in training mode", status, list, controls);
}

function units(networks, choose) {
  const layers = networks.flatMap(({ name, title, layers }) =>
    layers.flatMap((layer, place) =>
      layer.kind === "normalization" ? [{ name, title, layer, place }] : [],
    ),
  );
  const select = element("select", {},
    ...layers.map(({ title, layer }, value) =>
      element("option", { value }, `${title}, BN ${layer.width}`),
    ),
  );
  select.value = layers.length - 1;
  const unit = element("input", { type: "number", min: 1, value: 1 });
  const sliders = Object.fromEntries(["gamma", "beta"].map((name) => [name, {
    range: element("input", { type: "range", min: -4, max: 4, step: 0.01 }),
    value: element("output"),
  }]));
  const status = element("p", { role: "status" });

  // Whatever unit is chosen begins with its trained values.
  function trained() {
    const { layer } = layers[select.value];
    const index = Number(unit.value) - 1;
    const there = unit.value !== "" && Number.isInteger(index) && index >= 0 && index < layer.width;
    unit.max = layer.width;
    unit.setAttribute("aria-invalid", !there);
    status.textContent = there
      ? ""
      : `A unit of this layer is a whole number from 1 to ${layer.width}, not ${unit.value || "nothing"}.`;
    for (const [name, { range, value }] of Object.entries(sliders)) {
      range.disabled = !there;
      if (there) range.value = layer[name][index];
      value.textContent = there ? layer[name][index].toFixed(2) : "–";
    }
    choose(null);
  }

  function turned() {
    const { name, place } = layers[select.value];
    const values = {};
    for (const [vector, { range, value }] of Object.entries(sliders)) {
      values[vector] = Number(range.value);
      value.textContent = values[vector].toFixed(2);
    }
    choose({ name, place, unit: Number(unit.value) - 1, values });
  }

  select.onchange = trained;
  unit.oninput = trained;
  const controls = Object.entries(sliders).map(([name, { range, value }]) => {
    range.oninput = turned;
    const title = name[0].toUpperCase() + name.slice(1);
    return element("div", { className: "live-slider" }, labelled(title, range), value);
  });
  trained();
  return group("Gamma and beta of one unit",
    element("div", { className: "live-row" }, labelled("Layer", select), labelled("Unit", unit)),
    status,
    ...controls,
    button("As trained", trained),
  );
}
