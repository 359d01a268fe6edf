// A network that a reader has trained, from the page of the training to that of the networks:
// it stays in this browser, in IndexedDB.

const NAME = "trained";

// What the address of "Try the networks" ends with when a network is handed on: whoever comes
// with it has asked for the networks already.
export const YOURS = "yours";

function opened() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open("bnlab", 1);
    request.onupgradeneeded = () => request.result.createObjectStore("networks");
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

function answered(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

const ARRAYS = ["kernel", "bias", "gamma", "beta", "mean", "variance"];

// Keep a network: its title, its colours, and the layers that network.js gives.
export async function hand({ title, color, dark_color, layers }) {
  const packed = layers.map((layer) => ({
    ...layer,
    ...Object.fromEntries(ARRAYS.filter((name) => layer[name])
      .map((name) => [name, Float32Array.from(layer[name])])),
  }));
  const network = { name: NAME, title, color, dark_color,
    layers: [...packed, { kind: "softmax" }] };
  const database = await opened();
  await answered(database.transaction("networks", "readwrite").objectStore("networks")
    .put(network, NAME));
  database.close();
}

// Return the network that was kept last, or null.
export async function take() {
  try {
    const database = await opened();
    const found = await answered(database.transaction("networks").objectStore("networks").get(NAME));
    database.close();
    return found ?? null;
  } catch {
    return null;  // private windows may have no such memory
  }
}
