// The images of a training from their files, which the course's build made: see bnlab.parts.
import { answered, unpacked } from "./loading.js";

// What a training on so many images needs, in the order of the images.
const NEEDED = {
  5000: { train: ["train-1"], valid: ["valid-1"] },
  10000: { train: ["train-1", "train-2"], valid: ["valid-1", "valid-2"] },
  55000: { train: ["train-1", "train-2", "train-3"], valid: ["valid-1", "valid-2"] },
};

export class Images {
  #address;
  #files;
  #constants;
  #loaded = new Map();
  #moments = null;

  constructor(address, { parts, moments }) {
    this.#address = address;
    this.#files = parts;
    this.#constants = moments;
  }

  static async at(address) {
    return new Images(address, await (await answered(address)).json());
  }

  // The bytes that are still to load for a training on so many images.
  missing(count) {
    return this.#needed(count).reduce((sum, name) => sum + this.#files[name].bytes,
      this.#moments ? 0 : this.#constants.bytes);
  }

  // Load what a training on so many images needs; report the share that came.
  async load(count, progress = () => {}) {
    const names = this.#needed(count);
    const size = this.missing(count);
    let bytes = 0;
    const came = (more) => progress((bytes += more) / size);
    const moments = this.#moments ?? unpacked(this.#constants, this.#address, came);
    await Promise.all(names.map(async (name) => {
      const all = new Uint8Array(await unpacked(this.#files[name], this.#address, came));
      const images = this.#files[name].count;
      this.#loaded.set(name, { labels: all.slice(0, images), pixels: all.slice(images) });
    }));
    this.#moments = await moments;
    const { train, valid } = NEEDED[count];
    return { train: this.#joined(train), valid: this.#joined(valid), shown: this.#joined(["shown"]),
      moments: halved(new Float32Array(this.#moments)) };
  }

  #needed(count) {
    const { train, valid } = NEEDED[count];
    return [...train, ...valid, "shown"].filter((name) => !this.#loaded.has(name));
  }

  #joined(names) {
    const parts = names.map((name) => this.#loaded.get(name));
    if (parts.length === 1) return parts[0];
    return { labels: joined(parts.map(({ labels }) => labels)),
      pixels: joined(parts.map(({ pixels }) => pixels)) };
  }
}

// The mean and the variance of each pixel over all training images, from 0 to 1.
function halved(numbers) {
  const width = numbers.length / 2;
  return { mean: numbers.subarray(0, width), variance: numbers.subarray(width) };
}

function joined(arrays) {
  const all = new Uint8Array(arrays.reduce((sum, { length }) => sum + length, 0));
  arrays.reduce((place, array) => {
    all.set(array, place);
    return place + array.length;
  }, 0);
  return all;
}
