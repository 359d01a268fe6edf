// One network that trains in a worker of its own, and all that has been heard of it.

const SMOOTHING = 0.98;  // the share that a smoothed loss keeps in a step

// Numbers of which more and more come.
class Growing {
  #numbers = new Float32Array(1024);
  length = 0;

  push(value) {
    if (this.length === this.#numbers.length) {
      const larger = new Float32Array(2 * this.length);
      larger.set(this.#numbers);
      this.#numbers = larger;
    }
    this.#numbers[this.length] = value;
    this.length += 1;
  }

  at(index) {
    return this.#numbers[index];
  }
}

export class Session {
  #worker = null;
  #changed;
  #handed = null;
  #images = null;
  #looking = false;
  #order = 0;

  // Call back whenever something new is known.
  constructor(recipe, changed) {
    this.recipe = recipe;
    this.#changed = changed;
    this.#forget();
  }

  #forget() {
    this.state = "new";
    this.message = "";
    this.step = 0;
    this.losses = new Growing();
    this.smoothed = new Growing();
    this.evaluations = [];
    this.report = null;
    this.layers = null;
  }

  // The steps of the whole training.
  get steps() {
    return Math.ceil(this.recipe.images / this.recipe.batch) * this.recipe.epochs;
  }

  get epoch() {
    return (this.step * this.recipe.epochs) / this.steps;
  }

  get secondsLeft() {
    return this.state === "playing" && this.report?.perSecond
      ? (this.steps - this.step) / this.report.perSecond : null;
  }

  get accuracy() {
    return this.evaluations.at(-1)?.accuracy ?? null;
  }

  get loss() {
    return this.smoothed.length ? this.smoothed.at(this.smoothed.length - 1) : null;
  }

  get ended() {
    return ["finished", "diverged", "failed"].includes(this.state);
  }

  // Begin anew, with images or those from before.
  start(images = this.#images) {
    this.stop();
    this.#forget();
    this.state = "starting";
    this.#images = images;
    const address = new URL("./trainer.js", import.meta.url);
    address.search = new URL(import.meta.url).search;
    const failed = (message) => this.#hear({ type: "state", state: "failed", message });
    try {
      this.#worker = new Worker(address, { type: "module" });
    } catch {
      failed("this browser has no workers");
      return;
    }
    this.#worker.onmessage = ({ data }) => this.#hear(data);
    // A script that cannot be loaded has no message.
    this.#worker.onerror = (event) => {
      event.preventDefault();
      failed(event.message ||
        "this device is not connected, or its browser cannot run modules in workers");
    };
    this.#worker.postMessage({ type: "start", recipe: this.recipe, images });
    if (this.#looking) this.look(true);
  }

  stop() {
    this.#worker?.terminate();
    this.#worker = null;
  }

  // Train until a step, or so many steps from where the worker is by now, or to the end.
  play(speed, until, steps = null) {
    this.#order += 1;
    this.#worker?.postMessage({ type: "play", speed, until, steps, order: this.#order });
  }

  pause() {
    this.#worker?.postMessage({ type: "pause" });
  }

  look(layers) {
    this.#looking = layers;
    this.#worker?.postMessage({ type: "look", layers });
  }

  // Return the network's layers.
  hand() {
    return new Promise((resolve) => {
      this.#handed = resolve;
      this.#worker.postMessage({ type: "hand" });
    });
  }

  #hear({ type, ...data }) {
    if (type === "network") return this.#handed(data.layers);
    if (type === "state") {
      // It paused before it knew that it is to play again.
      if (data.state === "paused" && data.order !== this.#order) return undefined;
      this.state = data.state;
      this.message = data.message;
    } else {
      this.step = data.step;
      for (const loss of data.losses) {
        const last = this.losses.length;
        // The first steps weigh as much as there are of them.
        const kept = Math.min(SMOOTHING, last / (last + 1));
        const before = last ? this.smoothed.at(last - 1) : 0;
        this.losses.push(loss);
        this.smoothed.push(Number.isFinite(loss) ? kept * before + (1 - kept) * loss : before);
      }
      this.evaluations.push(...data.evaluations);
      this.layers = data.layers ?? this.layers;
      this.report = data;
    }
    this.#changed(type, this);
  }
}
