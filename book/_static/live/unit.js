// Gamma and beta of one unit, for the reader to turn.
import { button, element, group, labelled, note, row, say } from "./elements.js";
import { Order } from "./order.js";
import { changed, scaled, through } from "./prediction.js";

const VECTORS = { gamma: "Gamma", beta: "Beta" };

export class Unit {
  #networks;
  #chosen = () => null;
  #through = note();
  #order;

  constructor({ networks }, set, update) {
    this.#networks = networks;
    const layers = networks.flatMap(({ name, title, layers }) =>
      layers.flatMap((layer, place) =>
        layer.kind === "normalization" && !layer.fixed ? [{ name, title, layer, place }] : []));
    this.#chosen = () => {
      const unit = Number(number.value) - 1;
      const { name, place, layer } = layers[chosen.value];
      return layer.gamma[unit] === undefined ? null : { name, place, unit };
    };
    const chosen = element("select", {}, ...layers.map(({ title, layer }, value) =>
      element("option", { value }, `${title}, BN ${layer.width}`)));
    chosen.value = layers.findLastIndex(({ name }) => name === layers[0].name);
    const number = element("input", {
      type: "number", min: 1, value: 1, "aria-describedby": "live-no-unit",
    });
    const complaint = element("p", { id: "live-no-unit", role: "status" });
    const sliders = Object.entries(VECTORS).map(([vector, title]) => ({
      vector,
      title,
      range: element("input", { type: "range", min: -4, max: 4, step: 0.01,
        oninput: () => turn(vector) }),
      value: element("output"),
    }));

    // What is not turned keeps its trained value, which the slider rounds.
    let values = {};

    // Whatever unit is chosen begins with its trained values.
    function begin() {
      const { layer } = layers[chosen.value];
      const unit = Number(number.value) - 1;
      const exists = Number.isInteger(unit) && unit >= 0 && unit < layer.width;
      number.max = layer.width;
      number.setAttribute("aria-invalid", !exists);
      complaint.textContent = exists
        ? ""
        : `A unit of this layer is a whole number from 1 to ${layer.width}, ` +
          `not ${number.value || "nothing"}.`;
      for (const { vector, range, value } of sliders) {
        range.disabled = !exists;
        if (exists) range.value = layer[vector][unit];
        value.textContent = exists ? layer[vector][unit].toFixed(2) : "–";
      }
      values = exists ? { gamma: layer.gamma[unit], beta: layer.beta[unit] } : {};
      set.unit = null;
      update();
    }

    function turn(vector) {
      const { name, place } = layers[chosen.value];
      const { range, value } = sliders.find((slider) => slider.vector === vector);
      values = { ...values, [vector]: Number(range.value) };
      value.textContent = values[vector].toFixed(2);
      set.unit = { name, place, unit: Number(number.value) - 1, values };
      update();
    }

    this.#order = new Order((unit) => {
      number.value = unit + 1;
      begin();
    });
    chosen.onchange = number.oninput = begin;
    begin();
    this.element = group("Gamma and beta of one unit",
      row(labelled("Layer", chosen), labelled("Unit", number)),
      complaint,
      this.#order.element,
      this.#through,
      ...sliders.map(({ title, range, value }) => {
        const slider = labelled(title, range);
        slider.className = "live-slider";
        slider.append(value);
        return slider;
      }),
      button("As trained", begin),
    );
  }

  // Say what the unit gets and gives for the image shown.
  show({ shown, training, neighbours, unit }) {
    const chosen = this.#chosen();
    if (!chosen) return say(this.#through, "");
    const trained = this.#networks.find(({ name }) => name === chosen.name);
    const network = unit ? changed(trained, unit) : trained;
    const batch = (training ? [shown, ...neighbours] : [shown]).map(({ pixels }) => scaled(pixels));
    const [before, after] = through(network, batch, training, chosen.place, chosen.unit);
    say(this.#through, `For the image shown, this unit gets ${before.toFixed(2)} and gives ` +
      `${after.toFixed(2)}.`);
    this.#order.show(trained, chosen.place, { shown, training, neighbours }, chosen.unit);
  }
}
