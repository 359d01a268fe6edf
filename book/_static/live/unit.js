// Gamma and beta of one unit, for the reader to turn.
import { button, element, group, labelled, row } from "./elements.js";

const VECTORS = { gamma: "Gamma", beta: "Beta" };

export class Unit {
  constructor({ networks }, set, update) {
    const layers = networks.flatMap(({ name, title, layers }) =>
      layers.flatMap((layer, place) =>
        layer.kind === "normalization" ? [{ name, title, layer, place }] : []));
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
      range: element("input", { type: "range", min: -4, max: 4, step: 0.01, oninput: turn }),
      value: element("output"),
    }));

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
      set.unit = null;
      update();
    }

    function turn() {
      const { name, place } = layers[chosen.value];
      const values = {};
      for (const { vector, range, value } of sliders) {
        values[vector] = Number(range.value);
        value.textContent = values[vector].toFixed(2);
      }
      set.unit = { name, place, unit: Number(number.value) - 1, values };
      update();
    }

    chosen.onchange = number.oninput = begin;
    begin();
    this.element = group("Gamma and beta of one unit",
      row(labelled("Layer", chosen), labelled("Unit", number)),
      complaint,
      ...sliders.map(({ title, range, value }) => {
        const slider = labelled(title, range);
        slider.className = "live-slider";
        slider.append(value);
        return slider;
      }),
      button("As trained", begin),
    );
  }
}
