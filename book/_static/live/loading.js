// The networks from their files, which the course's build made: see bnlab.portable.

export async function answered(address) {
  const answer = await fetch(address).catch(() => {
    throw new Error("The server cannot be reached: is this device connected?");
  });
  if (!answer.ok) throw new Error(`The server answered ${answer.status} for ${address}.`);
  return answer;
}

// Return a file's content as an answer, of which one takes a buffer or a blob.
export async function unpacked({ file, version }, contents, came) {
  if (!globalThis.DecompressionStream) {
    throw new Error("This browser is too old to unpack them: please take a newer one.");
  }
  const { body } = await answered(new URL(`${file}?v=${version}`, contents));
  const counted = new TransformStream({
    transform(part, stream) {
      came(part.length);
      stream.enqueue(part);
    },
  });
  const whole = body.pipeThrough(counted).pipeThrough(new DecompressionStream("deflate"));
  return new Response(whole);
}

function withNumbers(layers, numbers) {
  let place = 0;
  const bytes = (count) => numbers.slice(place, (place += count));
  const vector = (width) => new Float32Array(bytes(4 * width));
  return layers.map((layer) => {
    if (layer.kind === "dense") {
      const whole = new Int16Array(bytes(2 * layer.inputs * layer.outputs));
      const steps = vector(layer.outputs);
      const kernel = Float32Array.from(whole, (weight, index) => weight * steps[index % layer.outputs]);
      return { ...layer, kernel, bias: layer.bias ? vector(layer.outputs) : null };
    }
    if (layer.kind === "normalization") {
      const vectors = ["gamma", "beta", "mean", "variance"];
      return { ...layer, ...Object.fromEntries(vectors.map((name) => [name, vector(layer.width)])) };
    }
    return layer;
  });
}

// Return the names of the classes, the networks and the garments; report the share that came.
export async function load(address, progress = () => {}) {
  const { classes, networks, garments, galleries } = await (await answered(address)).json();
  const size = [...networks, garments].reduce((sum, { bytes }) => sum + bytes, 0);
  let bytes = 0;
  const came = (count) => progress((bytes += count) / size);
  const [pixels, ...numbers] = await Promise.all(
    [garments, ...networks].map(async (part) =>
      (await unpacked(part, address, came)).arrayBuffer()),
  );
  return {
    address,
    classes,
    galleries,
    networks: networks.map((network, index) => ({
      ...network,
      layers: withNumbers(network.layers, numbers[index]),
    })),
    garments: garments.images.map((image, index) => ({
      ...image,
      name: `${classes[image.label]}, test image ${image.number}`,
      pixels: new Uint8Array(pixels, 784 * index, 784),
    })),
  };
}

// Return the images of a gallery, with what each of the course's networks takes them for.
export async function loadGallery({ address, classes }, gallery, networks) {
  const all = await (await unpacked(gallery, address, () => {})).arrayBuffer();
  const { count } = gallery;
  const numbers = new DataView(all, 0, 2 * count);
  const column = (place) => new Uint8Array(all, (2 + place) * count, count);
  const [labels, ...answers] = Array.from({ length: 1 + networks }, (_, place) => column(place));
  const pixels = new Uint8Array(all, (3 + networks) * count);
  return Array.from(labels, (label, index) => {
    const taken = answers.map((answer) => answer[index]);
    const agreed = taken.every((answer) => answer === taken[0]);
    return {
      number: numbers.getUint16(2 * index, true),
      label,
      answers: taken,
      kind: agreed ? (taken[0] === label ? "recognized" : "mistaken") : "disputed",
      name: `${classes[label]}, test image ${numbers.getUint16(2 * index, true)}`,
      pixels: pixels.subarray(784 * index, 784 * (index + 1)),
    };
  });
}
