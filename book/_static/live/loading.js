// The networks from their files, which the course's build made: see bnlab.portable.

async function answered(address) {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(`The server answered ${answer.status} for ${address}.`);
  return answer;
}

async function unpacked({ file, version }, contents) {
  const { body } = await answered(new URL(`${file}?v=${version}`, contents));
  return new Response(body.pipeThrough(new DecompressionStream("deflate"))).arrayBuffer();
}

// Whole numbers come as their low bytes, their middle ones and their high ones, with the sign
// in the lowest bit.
function whole(low, middle, high) {
  const unsigned = low | (middle << 8) | (high << 16);
  return (unsigned >>> 1) ^ -(unsigned & 1);
}

function withNumbers(layers, numbers) {
  let place = 0;
  const bytes = (count) => numbers.slice(place, (place += count));
  const vector = (width) => new Float32Array(bytes(4 * width));
  return layers.map((layer) => {
    if (layer.kind === "dense") {
      const count = layer.inputs * layer.outputs;
      const planes = new Uint8Array(bytes(3 * count));
      const kernel = new Float32Array(count);
      for (let index = 0; index < count; index += 1) {
        const parts = [planes[index], planes[index + count], planes[index + 2 * count]];
        kernel[index] = layer.step * whole(...parts);
      }
      return { ...layer, kernel, bias: layer.bias ? vector(layer.outputs) : null };
    }
    if (layer.kind === "normalization") {
      const vectors = ["gamma", "beta", "mean", "variance"];
      return { ...layer, ...Object.fromEntries(vectors.map((name) => [name, vector(layer.width)])) };
    }
    return layer;
  });
}

// Return the names of the classes, the networks and the garments.
export async function load(address) {
  const contents = await (await answered(address)).json();
  const [pixels, ...networks] = await Promise.all([
    unpacked(contents.garments, address),
    ...contents.networks.map(async (network) => ({
      ...network,
      layers: withNumbers(network.layers, await unpacked(network, address)),
    })),
  ]);
  const images = contents.garments.images.map(({ number, label }, index) => ({
    name: `${contents.classes[label]}, test image ${number}`,
    label,
    pixels: new Uint8Array(pixels, 784 * index, 784),
  }));
  return { classes: contents.classes, networks, garments: images };
}
