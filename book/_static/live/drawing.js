// Pictures of 28 by 28 points, and one that the reader draws.
import { element } from "./elements.js";

const SIDE = 28;
const HERE = [255, 176, 0];
const BRUSH = [
  [0, 0, 255],
  [-1, 0, 190], [1, 0, 190], [0, -1, 190], [0, 1, 190],
  [-1, -1, 110], [1, -1, 110], [-1, 1, 110], [1, 1, 110],
];
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

const within = (at) => Math.min(SIDE - 1, Math.max(0, Math.floor(at)));

// Paint pixels on a canvas of their size, with one of them marked or none.
export function paint(canvas, pixels, marked = null) {
  const image = new ImageData(SIDE, SIDE);
  pixels.forEach((value, point) => {
    image.data.set([...(point === marked ? HERE : [value, value, value]), 255], 4 * point);
  });
  canvas.getContext("2d").putImageData(image, 0, 0);
}

// Return a small picture, whose name stands beside it.
export function picture(pixels) {
  const canvas = element("canvas", { width: SIDE, height: SIDE, "aria-hidden": "true" });
  paint(canvas, pixels);
  return canvas;
}

// An image with a canvas to draw it on, by pointer or by keyboard; calls back after each change.
export class Drawing {
  name = "Your drawing";
  label = null;
  pixels = new Uint8Array(SIDE * SIDE);
  #at = [SIDE / 2, SIDE / 2];
  #byKey = false;
  #changed;

  constructor(changed) {
    this.#changed = changed;
    this.canvas = element("canvas", {
      className: "live-drawing",
      width: SIDE,
      height: SIDE,
      tabIndex: 0,
      role: "application",
      "aria-label": "Drawing, 28 by 28 points",
      onpointerdown: (event) => {
        this.canvas.setPointerCapture(event.pointerId);
        this.#byKey = false;
        this.#at = this.#point(event);
        this.#draw();
      },
      onpointermove: (event) => {
        if (event.buttons) this.#lineTo(...this.#point(event));
      },
      onkeydown: (event) => this.#press(event),
      onfocus: () => {
        this.#byKey = this.canvas.matches(":focus-visible");
        this.#show();
      },
      onblur: () => {
        this.#byKey = false;
        this.#show();
      },
    });
    this.#show();
  }

  // Begin with other pixels.
  set(pixels) {
    this.pixels.set(pixels);
    this.#show();
    this.#changed();
  }

  #point({ clientX, clientY }) {
    const box = this.canvas.getBoundingClientRect();
    const [right, down] = [(clientX - box.left) / box.width, (clientY - box.top) / box.height];
    return [within(SIDE * right), within(SIDE * down)];
  }

  #lineTo(toX, toY) {
    const [fromX, fromY] = this.#at;
    const steps = Math.max(Math.abs(toX - fromX), Math.abs(toY - fromY));
    for (let step = 1; step <= steps; step += 1) {
      const along = (from, to) => Math.round(from + ((to - from) * step) / steps);
      this.#at = [along(fromX, toX), along(fromY, toY)];
      this.#draw();
    }
  }

  #press(event) {
    const arrow = ARROWS[event.key];
    if (!arrow && ![" ", "Backspace"].includes(event.key)) return;
    event.preventDefault();
    this.#byKey = true;
    if (arrow) this.#at = this.#at.map((at, axis) => within(at + arrow[axis]));
    if (event.key === "Backspace") this.#draw(() => 0);
    else if (event.key === " " || event.shiftKey) this.#draw();
    else this.#show();
  }

  #draw(mixed = Math.max) {
    for (const [right, down, ink] of BRUSH) {
      const [x, y] = [this.#at[0] + right, this.#at[1] + down];
      if (Math.min(x, y) < 0 || Math.max(x, y) >= SIDE) continue;
      this.pixels[SIDE * y + x] = mixed(this.pixels[SIDE * y + x], ink);
    }
    this.#show();
    this.#changed();
  }

  #show() {
    paint(this.canvas, this.pixels, this.#byKey ? SIDE * this.#at[1] + this.#at[0] : null);
  }
}
