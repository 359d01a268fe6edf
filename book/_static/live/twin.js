// The kernels in JavaScript: for browsers without WebAssembly's SIMD, and in float64 for the
// tests. In float32 every number is the one that kernels.ts computes, bit by bit, since each
// operation is rounded like there and comes in the same order.

export function twin(Floats = Float32Array) {
  const f = Floats === Float32Array ? Math.fround : (value) => value;
  const reserved = { floats: new Floats(1 << 12), length: 0 };
  let memory = reserved.floats;

  const plus = (sum, a, b) => f(sum + f(a * b));
  const across = (lanes, at) =>
    f(f(lanes[at] + lanes[at + 1]) + f(lanes[at + 2] + lanes[at + 3]));

  // Where the weight from an input to an output lies, in panels of 8 outputs.
  const weight = (w, inputs, i, j) => w + (j - (j % 8)) * inputs + 8 * i + (j % 8);

  const descend = (place, gradient, rate, shrink) => {
    memory[place] = f(f(memory[place] * shrink) - f(rate * gradient));
  };

  // Compute xᵀ dz in strips of an input by 8 outputs.
  function strip(x, dz, rows, inputs, outputs, i, j, sums) {
    let s0 = 0, s1 = 0, s2 = 0, s3 = 0, s4 = 0, s5 = 0, s6 = 0, s7 = 0;
    for (let r = 0; r < rows; r += 1) {
      const value = memory[x + r * inputs + i], d = dz + r * outputs + j;
      s0 = f(s0 + f(value * memory[d])); s1 = f(s1 + f(value * memory[d + 1]));
      s2 = f(s2 + f(value * memory[d + 2])); s3 = f(s3 + f(value * memory[d + 3]));
      s4 = f(s4 + f(value * memory[d + 4])); s5 = f(s5 + f(value * memory[d + 5]));
      s6 = f(s6 + f(value * memory[d + 6])); s7 = f(s7 + f(value * memory[d + 7]));
    }
    sums[0] = s0; sums[1] = s1; sums[2] = s2; sums[3] = s3;
    sums[4] = s4; sums[5] = s5; sums[6] = s6; sums[7] = s7;
  }

  const kernels = {
    name: Floats === Float32Array ? "JavaScript" : "JavaScript in float64",

    // Reserve a number of floats, all zero, and return their place.
    reserve(count) {
      const place = reserved.length;
      reserved.length += count + (8 - (count % 8)) % 8;
      if (reserved.length > memory.length) {
        const larger = new Floats(Math.max(reserved.length, 2 * memory.length));
        larger.set(memory);
        memory = larger;
      }
      return place;
    },

    // The floats as they are now; what is reserved later may bring another array.
    get floats() {
      return memory;
    },

    product(x, w, b, z, rows, inputs, outputs) {
      for (let r = 0; r < rows; r += 1) {
        for (let j = 0; j < outputs; j += 8) {
          let p = w + j * inputs, k = x + r * inputs;
          let s0 = memory[b + j], s1 = memory[b + j + 1], s2 = memory[b + j + 2];
          let s3 = memory[b + j + 3], s4 = memory[b + j + 4], s5 = memory[b + j + 5];
          let s6 = memory[b + j + 6], s7 = memory[b + j + 7];
          for (const end = k + inputs; k < end; k += 1, p += 8) {
            const value = memory[k];
            s0 = f(s0 + f(value * memory[p])); s1 = f(s1 + f(value * memory[p + 1]));
            s2 = f(s2 + f(value * memory[p + 2])); s3 = f(s3 + f(value * memory[p + 3]));
            s4 = f(s4 + f(value * memory[p + 4])); s5 = f(s5 + f(value * memory[p + 5]));
            s6 = f(s6 + f(value * memory[p + 6])); s7 = f(s7 + f(value * memory[p + 7]));
          }
          const to = z + r * outputs + j;
          memory[to] = s0; memory[to + 1] = s1; memory[to + 2] = s2; memory[to + 3] = s3;
          memory[to + 4] = s4; memory[to + 5] = s5; memory[to + 6] = s6; memory[to + 7] = s7;
        }
      }
    },

    transposed(dz, w, dx, rows, inputs, outputs) {
      for (let r = 0; r < rows; r += 1) {
        for (let i = 0; i < inputs; i += 1) {
          let s0 = 0, s1 = 0, s2 = 0, s3 = 0;
          for (let j = 0; j < outputs; j += 4) {
            const d = dz + r * outputs + j, p = weight(w, inputs, i, j);
            s0 = f(s0 + f(memory[d] * memory[p])); s1 = f(s1 + f(memory[d + 1] * memory[p + 1]));
            s2 = f(s2 + f(memory[d + 2] * memory[p + 2]));
            s3 = f(s3 + f(memory[d + 3] * memory[p + 3]));
          }
          memory[dx + r * inputs + i] = f(f(s0 + s1) + f(s2 + s3));
        }
      }
    },

    update(x, dz, w, rows, inputs, outputs, rate, shrink, measured) {
      const [by, kept, found] = [f(rate), f(shrink), new Floats(8)];
      let squares = 0;
      for (let i = 0; i < inputs; i += 1) {
        for (let j = 0; j < outputs; j += 8) {
          strip(x, dz, rows, inputs, outputs, i, j, found);
          const p = w + j * inputs + 8 * i;
          for (let lane = 0; lane < 8; lane += 1) descend(p + lane, found[lane], by, kept);
          if (measured) squares += found.reduce((sum, value) => sum + value * value, 0);
        }
      }
      return squares;
    },

    updateNormalized(n, dz, s, w, gamma, beta, rows, inputs, outputs, rate, shrink, measured) {
      const [by, kept, found] = [f(rate), f(shrink), new Floats(8)];
      const [g, b] = [new Floats(4), new Floats(4)];
      let squares = 0;
      for (let i = 0; i < inputs; i += 1) {
        const [ofGamma, ofBeta] = [memory[gamma + i], memory[beta + i]];
        g.fill(0);
        b.fill(0);
        for (let j = 0; j < outputs; j += 8) {
          strip(n, dz, rows, inputs, outputs, i, j, found);
          const p = w + j * inputs + 8 * i;
          for (let lane = 0; lane < 8; lane += 1) {
            const [old, sum] = [memory[p + lane], memory[s + j + lane]];
            g[lane % 4] = plus(g[lane % 4], old, found[lane]);
            b[lane % 4] = plus(b[lane % 4], old, sum);
            const gradient = plus(f(ofGamma * found[lane]), ofBeta, sum);
            descend(p + lane, gradient, by, kept);
            if (measured) squares += gradient * gradient;
          }
        }
        descend(gamma + i, across(g, 0), by, kept);
        descend(beta + i, across(b, 0), by, kept);
      }
      return squares;
    },

    updateVector(v, gradient, width, rate, shrink) {
      const [by, kept] = [f(rate), f(shrink)];
      for (let i = 0; i < width; i += 1) descend(v + i, memory[gradient + i], by, kept);
    },

    sums(x, sum, rows, width) {
      for (let i = 0; i < width; i += 1) {
        let found = 0;
        for (let r = 0; r < rows; r += 1) found = f(found + memory[x + r * width + i]);
        memory[sum + i] = found;
      }
    },

    moments(x, mean, variance, rows, width) {
      kernels.sums(x, mean, rows, width);
      for (let i = 0; i < width; i += 1) {
        const middle = f(memory[mean + i] / rows);
        let found = 0;
        for (let r = 0; r < rows; r += 1) {
          const apart = f(memory[x + r * width + i] - middle);
          found = f(found + f(apart * apart));
        }
        memory[mean + i] = middle;
        memory[variance + i] = f(found / rows);
      }
    },

    average(moving, value, width, momentum, rest) {
      const [kept, added] = [f(momentum), f(rest)];
      for (let i = 0; i < width; i += 1) {
        memory[moving + i] = plus(f(memory[moving + i] * kept), memory[value + i], added);
      }
    },

    invert(variance, inverse, width, epsilon) {
      const added = f(epsilon);
      for (let i = 0; i < width; i += 1) {
        memory[inverse + i] = f(1 / f(Math.sqrt(f(memory[variance + i] + added))));
      }
    },

    normalize(x, mean, inverse, gamma, beta, n, y, rows, width) {
      for (let r = 0, place = 0; r < rows; r += 1) {
        for (let i = 0; i < width; i += 1, place += 1) {
          const normalized = f(f(memory[x + place] - memory[mean + i]) * memory[inverse + i]);
          memory[n + place] = normalized;
          memory[y + place] = f(f(memory[gamma + i] * normalized) + memory[beta + i]);
        }
      }
    },

    normalizeBack(dy, n, inverse, gamma, dgamma, dbeta, dx, rows, width) {
      for (let i = 0; i < width; i += 1) {
        let [g, b] = [0, 0];
        for (let r = 0, place = i; r < rows; r += 1, place += width) {
          g = f(g + f(memory[dy + place] * memory[n + place]));
          b = f(b + memory[dy + place]);
        }
        memory[dgamma + i] = g;
        memory[dbeta + i] = b;
        g = f(g / rows);
        b = f(b / rows);
        const factor = f(memory[gamma + i] * memory[inverse + i]);
        for (let r = 0, place = i; r < rows; r += 1, place += width) {
          const rest = f(f(memory[dy + place] - b) - f(memory[n + place] * g));
          memory[dx + place] = f(factor * rest);
        }
      }
    },

    rectify(z, a, count, slope) {
      const below = f(slope);
      for (let i = 0; i < count; i += 1) {
        const value = memory[z + i];
        memory[a + i] = value > 0 ? value : f(value * below);
      }
    },

    rectifyBack(z, da, count, slope) {
      const below = f(slope);
      for (let i = 0; i < count; i += 1) {
        if (!(memory[z + i] > 0)) memory[da + i] = f(memory[da + i] * below);
      }
    },
  };
  return kernels;
}
