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

function paint(canvas, pixels, here = null) {
  const context = canvas.getContext("2d");
  const image = context.createImageData(SIDE, SIDE);
  pixels.forEach((value, point) => {
    image.data.set([...(point === here ? HERE : [value, value, value]), 255], 4 * point);
  });
  context.putImageData(image, 0, 0);
}

// Return a small picture, whose name stands beside it.
export function picture(pixels) {
  const canvas = element("canvas", { width: SIDE, height: SIDE, "aria-hidden": "true" });
  paint(canvas, pixels);
  return canvas;
}

// A canvas to draw on by pointer or by keyboard; calls back after each change.
export class Drawing {
  pixels = new Uint8Array(SIDE * SIDE);
  #x = SIDE / 2;
  #y = SIDE / 2;
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
    });
    this.canvas.onpointerdown = (event) => {
      this.canvas.setPointerCapture(event.pointerId);
      [this.#x, this.#y] = this.#point(event);
      this.#draw();
    };
    this.canvas.onpointermove = (event) => {
      if (event.buttons) this.#lineTo(...this.#point(event));
    };
    this.canvas.onkeydown = (event) => this.#key(event);
    this.canvas.onfocus = this.canvas.onblur = () => this.#show();
    this.#show();
  }

  // Begin with other pixels.
  set(pixels) {
    this.pixels.set(pixels);
    this.#show();
    this.#changed();
  }

  #point(event) {
    const box = this.canvas.getBoundingClientRect();
    const point = (at, from, length) =>
      Math.min(SIDE - 1, Math.max(0, Math.floor(((at - from) / length) * SIDE)));
    return [point(event.clientX, box.left, box.width), point(event.clientY, box.top, box.height)];
  }

  #lineTo(x, y) {
    const [fromX, fromY] = [this.#x, this.#y];
    const steps = Math.max(Math.abs(x - fromX), Math.abs(y - fromY));
    for (let step = 1; step <= steps; step += 1) {
      this.#x = Math.round(fromX + ((x - fromX) * step) / steps);
      this.#y = Math.round(fromY + ((y - fromY) * step) / steps);
      this.#draw();
    }
  }

  #key(event) {
    const arrow = ARROWS[event.key];
    if (arrow) {
      this.#x = Math.min(SIDE - 1, Math.max(0, this.#x + arrow[0]));
      this.#y = Math.min(SIDE - 1, Math.max(0, this.#y + arrow[1]));
      if (event.shiftKey) this.#draw();
      else this.#show();
    } else if (event.key === " ") this.#draw();
    else if (event.key === "Backspace") this.#draw(() => 0);
    else return;
    event.preventDefault();
  }

  #draw(mixed = Math.max) {
    for (const [right, down, ink] of BRUSH) {
      const [x, y] = [this.#x + right, this.#y + down];
      if (Math.min(x, y) >= 0 && Math.max(x, y) < SIDE) {
        this.pixels[SIDE * y + x] = mixed(this.pixels[SIDE * y + x], ink);
      }
    }
    this.#show();
    this.#changed();
  }

  #show() {
    const here = this.canvas === document.activeElement ? SIDE * this.#y + this.#x : null;
    paint(this.canvas, this.pixels, here);
  }
}
