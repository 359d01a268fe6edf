// The images of a training from their files, which the course's build made: see bnlab.parts.
import { answered, unpacked } from "./loading.js";

// What a training on so many images needs, in the order of the images.
const NEEDED = {
  5000: { train: ["train-1"], valid: ["valid-1"] },
  10000: { train: ["train-1", "train-2"], valid: ["valid-1", "valid-2"] },
  55000: { train: ["train-1", "train-2", "train-3"], valid: ["valid-1", "valid-2"] },
};

const AT_ONCE = 2 ** 21;  // bytes

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

  // Load what a training on so many images needs; report the share that came. Images to train on
  // and to validate with come as pieces, see `opened`.
  async load(count, progress = () => {}) {
    const names = this.#needed(count);
    const size = this.missing(count);
    let bytes = 0;
    const came = (more) => progress((bytes += more) / size);
    const moments = this.#moments ?? this.#bytes(this.#constants, came);
    await Promise.all(names.map(async (name) => {
      const blob = await (await unpacked(this.#files[name], this.#address, came)).blob();
      this.#loaded.set(name, { blob, count: this.#files[name].count });
    }));
    this.#moments = await moments;
    const { train, valid } = NEEDED[count];
    const pieces = (part) => part.map((name) => this.#loaded.get(name));
    return { train: pieces(train), valid: pieces(valid), shown: await opened(pieces(["shown"])),
      moments: halved(new Float32Array(this.#moments)) };
  }

  async #bytes(file, came) {
    return (await unpacked(file, this.#address, came)).arrayBuffer();
  }

  #needed(count) {
    const { train, valid } = NEEDED[count];
    return [...train, ...valid, "shown"].filter((name) => !this.#loaded.has(name));
  }
}

// The mean and the variance of each pixel over all training images, from 0 to 1.
function halved(numbers) {
  const width = numbers.length / 2;
  return { mean: numbers.subarray(0, width), variance: numbers.subarray(width) };
}

// Return the images of some pieces, each a blob with its images' labels and then their pixels. A
// blob goes to a worker as it is: to copy all images there would stop the page for a moment.
export async function opened(pieces) {
  const labels = new Uint8Array(pieces.reduce((sum, { count }) => sum + count, 0));
  const pixels = new Uint8Array(pieces.reduce((sum, { blob }) => sum + blob.size, -labels.length));
  let [label, pixel] = [0, 0];
  for (const { blob, count } of pieces) {
    await fill(labels.subarray(label), blob.slice(0, count));
    await fill(pixels.subarray(pixel), blob.slice(count));
    label += count;
    pixel += blob.size - count;
  }
  return { labels, pixels };
}

// Copy a blob into an array, bit by bit, so that there is never much of it twice.
async function fill(array, blob) {
  for (let from = 0; from < blob.size; from += AT_ONCE) {
    array.set(new Uint8Array(await blob.slice(from, from + AT_ONCE).arrayBuffer()), from);
  }
}
