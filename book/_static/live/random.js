// Random numbers that are the same in every browser: xoshiro128** 1.1 by Blackman and Vigna
// (2018, https://prng.di.unimi.it/xoshiro128starstar.c), with its state from SplitMix64. Nothing
// here is left to a browser's own Math, but for the square root, which IEEE 754 fixes.
import { exp } from "./elementary.js";

const ALL = 0xffffffffffffffffn;

// Yield the numbers of SplitMix64 (https://prng.di.unimi.it/splitmix64.c) from a seed.
export function* splitmix64(seed) {
  let state = BigInt(seed) & ALL;
  for (;;) {
    state = (state + 0x9e3779b97f4a7c15n) & ALL;
    let mixed = state;
    mixed = ((mixed ^ (mixed >> 30n)) * 0xbf58476d1ce4e5b9n) & ALL;
    mixed = ((mixed ^ (mixed >> 27n)) * 0x94d049bb133111ebn) & ALL;
    yield mixed ^ (mixed >> 31n);
  }
}

export class Random {
  #state;

  // A generator from four words of 32 bits, not all zero.
  constructor(words) {
    this.#state = Uint32Array.from(words);
  }

  // The generator of a seed; each stream of a seed is another one.
  static of(seed, stream = 0) {
    const numbers = splitmix64(seed);
    for (let skipped = 0; skipped < 2 * stream; skipped += 1) numbers.next();
    const [low, high] = [numbers.next().value, numbers.next().value];
    return new Random([low, low >> 32n, high, high >> 32n].map((word) =>
      Number(word & 0xffffffffn)));
  }

  // A whole number below 2³².
  next() {
    const state = this.#state;
    const times = Math.imul(state[1], 5);
    const result = Math.imul((times << 7) | (times >>> 25), 9) >>> 0;
    const shifted = state[1] << 9;
    state[2] ^= state[0];
    state[3] ^= state[1];
    state[1] ^= state[2];
    state[0] ^= state[3];
    state[2] ^= shifted;
    state[3] = (state[3] << 11) | (state[3] >>> 21);
    return result;
  }

  // A number from 0 to below 1, in steps of 2⁻³².
  uniform() {
    return this.next() / 2 ** 32;
  }

  // A whole number below a bound, each equally likely.
  below(bound) {
    const fair = 2 ** 32 - (2 ** 32 % bound);
    for (;;) {
      const drawn = this.next();
      if (drawn < fair) return drawn % bound;
    }
  }

  // A normal number of mean 0 and deviation 1 among those up to 2 in size, by rejection: uniform
  // numbers, each kept as often as its density says.
  truncatedNormal() {
    for (;;) {
      const drawn = 4 * this.uniform() - 2;
      if (this.uniform() < exp((-drawn * drawn) / 2)) return drawn;
    }
  }

  // The whole numbers below a count in a random order (Fisher and Yates).
  permutation(count) {
    const order = Uint32Array.from({ length: count }, (_, place) => place);
    for (let place = count - 1; place > 0; place -= 1) {
      const other = this.below(place + 1);
      [order[place], order[other]] = [order[other], order[place]];
    }
    return order;
  }
}
