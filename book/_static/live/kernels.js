// The kernels as networks use them: WebAssembly where the browser has its SIMD and may compile
// it, else the twin in JavaScript. Both reserve floats and name them by their place.
import { twin } from "./twin.js";

const PAGE = 1 << 16;  // bytes, by which WebAssembly's memory grows

// Return kernels from the bytes of kernels.wasm.
export async function compiled(bytes) {
  const { memory, ...functions } = (await WebAssembly.instantiate(bytes)).instance.exports;
  // The module's own few bytes lie below.
  const reserved = { length: memory.buffer.byteLength / 4 };
  let floats = new Float32Array(memory.buffer);
  return {
    ...functions,
    name: "WebAssembly",
    reserve(count) {
      const place = reserved.length;
      reserved.length += count + ((8 - (count % 8)) % 8);
      const missing = 4 * reserved.length - memory.buffer.byteLength;
      if (missing > 0) memory.grow(Math.ceil(missing / PAGE));
      floats = new Float32Array(memory.buffer);
      return place;
    },
    get floats() {
      return floats;
    },
  };
}

// Return the fastest kernels that work here.
export async function load() {
  try {
    // Its address has no digest, so the browser asks whether it is the latest.
    const answer = await fetch(new URL("./kernels.wasm", import.meta.url), { cache: "no-cache" });
    return await compiled(await answer.arrayBuffer());
  } catch {
    return twin();
  }
}
