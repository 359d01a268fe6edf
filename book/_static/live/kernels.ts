// The arithmetic of training, compiled to WebAssembly by `npm run kernels`; twin.js is the same
// in JavaScript, operation by operation, so both give the same bits.
//
// Every place is a number of floats from the memory's beginning. A matrix has a row for each
// image. Every width is a multiple of 8, and what a network does not use of it is zero. Weights
// lie in panels of 8 outputs: a panel has all its inputs, one after the other, each with its 8
// weights. A product is computed in blocks of 4 by 8 numbers, which stay in registers.

// @ts-ignore: decorator
@inline
function at(place: i32): usize {
  return <usize>place << 2;
}

// @ts-ignore: decorator
@inline
function load(place: usize, offset: usize = 0): v128 {
  return v128.load(place + offset);
}

// @ts-ignore: decorator
@inline
function spread(place: usize): v128 {
  return v128.load32_splat(place);
}

// @ts-ignore: decorator
@inline
function plus(sum: v128, a: v128, b: v128): v128 {
  return f32x4.add(sum, f32x4.mul(a, b));
}

// Return the four sums of the lanes of four vectors.
// @ts-ignore: decorator
@inline
function across(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = v128.shuffle<f32>(a, b, 0, 4, 1, 5);
  const cd = v128.shuffle<f32>(c, d, 0, 4, 1, 5);
  const above = v128.shuffle<f32>(a, b, 2, 6, 3, 7);
  const beyond = v128.shuffle<f32>(c, d, 2, 6, 3, 7);
  const first = v128.shuffle<f32>(ab, cd, 0, 1, 4, 5);
  const second = v128.shuffle<f32>(ab, cd, 2, 3, 6, 7);
  const third = v128.shuffle<f32>(above, beyond, 0, 1, 4, 5);
  const fourth = v128.shuffle<f32>(above, beyond, 2, 3, 6, 7);
  return f32x4.add(f32x4.add(first, second), f32x4.add(third, fourth));
}

// z = x w + b
export function product(
  x: i32, w: i32, b: i32, z: i32, rows: i32, inputs: i32, outputs: i32,
): void {
  const length = at(inputs), width = at(outputs);
  for (let j = 0; j < outputs; j += 8) {
    const panel = at(w + j * inputs);
    const b0 = load(at(b + j)), b1 = load(at(b + j), 16);
    let from = at(x), to = at(z + j), r = 0;
    for (; r + 4 <= rows; r += 4) {
      let p = panel;
      let x0 = from, x1 = x0 + length, x2 = x1 + length, x3 = x2 + length;
      let s0 = b0, s1 = b1, s2 = b0, s3 = b1, s4 = b0, s5 = b1, s6 = b0, s7 = b1;
      for (const end = x0 + length; x0 < end; p += 32) {
        const w0 = load(p), w1 = load(p, 16);
        const v0 = spread(x0), v1 = spread(x1), v2 = spread(x2), v3 = spread(x3);
        s0 = plus(s0, v0, w0); s1 = plus(s1, v0, w1);
        s2 = plus(s2, v1, w0); s3 = plus(s3, v1, w1);
        s4 = plus(s4, v2, w0); s5 = plus(s5, v2, w1);
        s6 = plus(s6, v3, w0); s7 = plus(s7, v3, w1);
        x0 += 4; x1 += 4; x2 += 4; x3 += 4;
      }
      v128.store(to, s0); v128.store(to + 16, s1); to += width;
      v128.store(to, s2); v128.store(to + 16, s3); to += width;
      v128.store(to, s4); v128.store(to + 16, s5); to += width;
      v128.store(to, s6); v128.store(to + 16, s7); to += width;
      from += 4 * length;
    }
    for (; r < rows; r += 1) {
      let p = panel, s0 = b0, s1 = b1;
      for (const end = from + length; from < end; from += 4) {
        const v = spread(from);
        s0 = plus(s0, v, load(p)); s1 = plus(s1, v, load(p, 16));
        p += 32;
      }
      v128.store(to, s0); v128.store(to + 16, s1);
      to += width;
    }
  }
}

// dx = dz wᵀ
export function transposed(
  dz: i32, w: i32, dx: i32, rows: i32, inputs: i32, outputs: i32,
): void {
  const width = at(outputs), length = at(inputs), panel = at(8 * inputs);
  for (let i = 0; i < inputs; i += 4) {
    const strip = at(w + 8 * i);
    let from = at(dz), to = at(dx + i), r = 0;
    for (; r + 2 <= rows; r += 2) {
      let p = strip, d = from;
      let s0 = f32x4.splat(0), s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0, s6 = s0, s7 = s0;
      for (const end = d + width; d < end; d += 32) {
        const a = load(d), b = load(d + width);
        let w0 = load(p), w1 = load(p, 32), w2 = load(p, 64), w3 = load(p, 96);
        s0 = plus(s0, a, w0); s1 = plus(s1, a, w1); s2 = plus(s2, a, w2); s3 = plus(s3, a, w3);
        s4 = plus(s4, b, w0); s5 = plus(s5, b, w1); s6 = plus(s6, b, w2); s7 = plus(s7, b, w3);
        const c = load(d, 16), e = load(d + width, 16);
        w0 = load(p, 16); w1 = load(p, 48); w2 = load(p, 80); w3 = load(p, 112);
        s0 = plus(s0, c, w0); s1 = plus(s1, c, w1); s2 = plus(s2, c, w2); s3 = plus(s3, c, w3);
        s4 = plus(s4, e, w0); s5 = plus(s5, e, w1); s6 = plus(s6, e, w2); s7 = plus(s7, e, w3);
        p += panel;
      }
      v128.store(to, across(s0, s1, s2, s3)); to += length;
      v128.store(to, across(s4, s5, s6, s7)); to += length;
      from += 2 * width;
    }
    if (r < rows) {
      let p = strip, s0 = f32x4.splat(0), s1 = s0, s2 = s0, s3 = s0;
      for (const end = from + width; from < end; from += 32) {
        const a = load(from), c = load(from, 16);
        s0 = plus(plus(s0, a, load(p)), c, load(p, 16));
        s1 = plus(plus(s1, a, load(p, 32)), c, load(p, 48));
        s2 = plus(plus(s2, a, load(p, 64)), c, load(p, 80));
        s3 = plus(plus(s3, a, load(p, 96)), c, load(p, 112));
        p += panel;
      }
      v128.store(to, across(s0, s1, s2, s3));
    }
  }
}

// @ts-ignore: decorator
@inline
function descend(place: usize, gradient: v128, rate: v128, shrink: v128): void {
  v128.store(place, f32x4.sub(f32x4.mul(load(place), shrink), f32x4.mul(rate, gradient)));
}

// @ts-ignore: decorator
@inline
function total(lanes: v128): f32 {
  return f32x4.extract_lane(lanes, 0) + f32x4.extract_lane(lanes, 1) +
    (f32x4.extract_lane(lanes, 2) + f32x4.extract_lane(lanes, 3));
}

// w = shrink w - rate xᵀ dz, without keeping the gradient. Return the sum of its squares if it
// is measured, else 0.
export function update(
  x: i32, dz: i32, w: i32, rows: i32, inputs: i32, outputs: i32,
  rate: f32, shrink: f32, measured: bool,
): f32 {
  const length = at(inputs), width = at(outputs);
  const by = f32x4.splat(rate), kept = f32x4.splat(shrink);
  let squares = f32x4.splat(0);
  for (let i = 0; i < inputs; i += 4) {
    for (let j = 0; j < outputs; j += 8) {
      let from = at(x + i), d = at(dz + j);
      let s0 = f32x4.splat(0), s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0, s6 = s0, s7 = s0;
      for (let r = 0; r < rows; r += 1) {
        const d0 = load(d), d1 = load(d, 16);
        const v0 = spread(from), v1 = spread(from + 4);
        const v2 = spread(from + 8), v3 = spread(from + 12);
        s0 = plus(s0, v0, d0); s1 = plus(s1, v0, d1);
        s2 = plus(s2, v1, d0); s3 = plus(s3, v1, d1);
        s4 = plus(s4, v2, d0); s5 = plus(s5, v2, d1);
        s6 = plus(s6, v3, d0); s7 = plus(s7, v3, d1);
        from += length; d += width;
      }
      const p = at(w + j * inputs + 8 * i);
      descend(p, s0, by, kept); descend(p + 16, s1, by, kept);
      descend(p + 32, s2, by, kept); descend(p + 48, s3, by, kept);
      descend(p + 64, s4, by, kept); descend(p + 80, s5, by, kept);
      descend(p + 96, s6, by, kept); descend(p + 112, s7, by, kept);
      if (measured) {
        squares = plus(plus(plus(plus(squares, s0, s0), s1, s1), s2, s2), s3, s3);
        squares = plus(plus(plus(plus(squares, s4, s4), s5, s5), s6, s6), s7, s7);
      }
    }
  }
  return total(squares);
}

// The same for x = gamma n + beta, where nothing below x is trained: n is the normalized data.
// With m = nᵀ dz and s the column sums of dz, the gradients are gamma m + beta s, the row sums of
// w m, and w s, so the product dz wᵀ is not needed. Gamma and beta descend too.
export function updateNormalized(
  n: i32, dz: i32, s: i32, w: i32, gamma: i32, beta: i32, rows: i32, inputs: i32, outputs: i32,
  rate: f32, shrink: f32, measured: bool,
): f32 {
  const length = at(inputs), width = at(outputs);
  const by = f32x4.splat(rate), kept = f32x4.splat(shrink);
  let squares = f32x4.splat(0);
  for (let i = 0; i < inputs; i += 4) {
    const zero = f32x4.splat(0);
    let g0 = zero, g1 = zero, g2 = zero, g3 = zero;
    let b0 = zero, b1 = zero, b2 = zero, b3 = zero;
    for (let j = 0; j < outputs; j += 8) {
      let from = at(n + i), d = at(dz + j);
      let s0 = zero, s1 = zero, s2 = zero, s3 = zero, s4 = zero, s5 = zero, s6 = zero, s7 = zero;
      for (let r = 0; r < rows; r += 1) {
        const d0 = load(d), d1 = load(d, 16);
        const v0 = spread(from), v1 = spread(from + 4);
        const v2 = spread(from + 8), v3 = spread(from + 12);
        s0 = plus(s0, v0, d0); s1 = plus(s1, v0, d1);
        s2 = plus(s2, v1, d0); s3 = plus(s3, v1, d1);
        s4 = plus(s4, v2, d0); s5 = plus(s5, v2, d1);
        s6 = plus(s6, v3, d0); s7 = plus(s7, v3, d1);
        from += length; d += width;
      }
      const t0 = load(at(s + j)), t1 = load(at(s + j), 16);
      const p = at(w + j * inputs + 8 * i);
      g0 = plus(plus(g0, load(p), s0), load(p, 16), s1);
      g1 = plus(plus(g1, load(p, 32), s2), load(p, 48), s3);
      g2 = plus(plus(g2, load(p, 64), s4), load(p, 80), s5);
      g3 = plus(plus(g3, load(p, 96), s6), load(p, 112), s7);
      b0 = plus(plus(b0, load(p), t0), load(p, 16), t1);
      b1 = plus(plus(b1, load(p, 32), t0), load(p, 48), t1);
      b2 = plus(plus(b2, load(p, 64), t0), load(p, 80), t1);
      b3 = plus(plus(b3, load(p, 96), t0), load(p, 112), t1);
      const k = at(gamma + i), l = at(beta + i);
      s0 = plus(f32x4.mul(spread(k), s0), spread(l), t0);
      s1 = plus(f32x4.mul(spread(k), s1), spread(l), t1);
      s2 = plus(f32x4.mul(spread(k + 4), s2), spread(l + 4), t0);
      s3 = plus(f32x4.mul(spread(k + 4), s3), spread(l + 4), t1);
      s4 = plus(f32x4.mul(spread(k + 8), s4), spread(l + 8), t0);
      s5 = plus(f32x4.mul(spread(k + 8), s5), spread(l + 8), t1);
      s6 = plus(f32x4.mul(spread(k + 12), s6), spread(l + 12), t0);
      s7 = plus(f32x4.mul(spread(k + 12), s7), spread(l + 12), t1);
      descend(p, s0, by, kept); descend(p + 16, s1, by, kept);
      descend(p + 32, s2, by, kept); descend(p + 48, s3, by, kept);
      descend(p + 64, s4, by, kept); descend(p + 80, s5, by, kept);
      descend(p + 96, s6, by, kept); descend(p + 112, s7, by, kept);
      if (measured) {
        squares = plus(plus(plus(plus(squares, s0, s0), s1, s1), s2, s2), s3, s3);
        squares = plus(plus(plus(plus(squares, s4, s4), s5, s5), s6, s6), s7, s7);
      }
    }
    descend(at(gamma + i), across(g0, g1, g2, g3), by, kept);
    descend(at(beta + i), across(b0, b1, b2, b3), by, kept);
  }
  return total(squares);
}

// v = shrink v - rate gradient
export function updateVector(v: i32, gradient: i32, width: i32, rate: f32, shrink: f32): void {
  for (let i = 0; i < width; i += 4) {
    descend(at(v + i), load(at(gradient + i)), f32x4.splat(rate), f32x4.splat(shrink));
  }
}

// The sums over the rows.
export function sums(x: i32, sum: i32, rows: i32, width: i32): void {
  for (let i = 0; i < width; i += 8) {
    let from = at(x + i), s0 = f32x4.splat(0), s1 = s0;
    for (let r = 0; r < rows; r += 1) {
      s0 = f32x4.add(s0, load(from)); s1 = f32x4.add(s1, load(from, 16));
      from += at(width);
    }
    v128.store(at(sum + i), s0); v128.store(at(sum + i), s1, 16);
  }
}

// Each column's mean and variance, divided by the number of rows, as Keras does.
export function moments(x: i32, mean: i32, variance: i32, rows: i32, width: i32): void {
  const count = f32x4.splat(<f32>rows);
  sums(x, mean, rows, width);
  for (let i = 0; i < width; i += 8) {
    const m0 = f32x4.div(load(at(mean + i)), count), m1 = f32x4.div(load(at(mean + i), 16), count);
    let from = at(x + i), s0 = f32x4.splat(0), s1 = s0;
    for (let r = 0; r < rows; r += 1) {
      const d0 = f32x4.sub(load(from), m0), d1 = f32x4.sub(load(from, 16), m1);
      s0 = plus(s0, d0, d0); s1 = plus(s1, d1, d1);
      from += at(width);
    }
    v128.store(at(mean + i), m0); v128.store(at(mean + i), m1, 16);
    v128.store(at(variance + i), f32x4.div(s0, count));
    v128.store(at(variance + i), f32x4.div(s1, count), 16);
  }
}

// average = momentum average + rest value
export function average(
  moving: i32, value: i32, width: i32, momentum: f32, rest: f32,
): void {
  for (let i = 0; i < width; i += 4) {
    const old = f32x4.mul(load(at(moving + i)), f32x4.splat(momentum));
    v128.store(at(moving + i), plus(old, load(at(value + i)), f32x4.splat(rest)));
  }
}

// inverse = 1 / √(variance + epsilon)
export function invert(variance: i32, inverse: i32, width: i32, epsilon: f32): void {
  for (let i = 0; i < width; i += 4) {
    const shifted = f32x4.add(load(at(variance + i)), f32x4.splat(epsilon));
    v128.store(at(inverse + i), f32x4.div(f32x4.splat(1), f32x4.sqrt(shifted)));
  }
}

// n = (x - mean) inverse, and y = gamma n + beta
export function normalize(
  x: i32, mean: i32, inverse: i32, gamma: i32, beta: i32, n: i32, y: i32, rows: i32, width: i32,
): void {
  for (let i = 0; i < width; i += 4) {
    const m = load(at(mean + i)), v = load(at(inverse + i));
    const g = load(at(gamma + i)), b = load(at(beta + i));
    for (let r = 0, place = i; r < rows; r += 1, place += width) {
      const normalized = f32x4.mul(f32x4.sub(load(at(x + place)), m), v);
      v128.store(at(n + place), normalized);
      v128.store(at(y + place), f32x4.add(f32x4.mul(g, normalized), b));
    }
  }
}

// The gradients of gamma, of beta, and of x, which may take the place of dy.
export function normalizeBack(
  dy: i32, n: i32, inverse: i32, gamma: i32, dgamma: i32, dbeta: i32, dx: i32,
  rows: i32, width: i32,
): void {
  const count = f32x4.splat(<f32>rows);
  for (let i = 0; i < width; i += 4) {
    let g = f32x4.splat(0), b = g;
    for (let r = 0, place = i; r < rows; r += 1, place += width) {
      const d = load(at(dy + place));
      g = plus(g, d, load(at(n + place)));
      b = f32x4.add(b, d);
    }
    v128.store(at(dgamma + i), g);
    v128.store(at(dbeta + i), b);
    g = f32x4.div(g, count);
    b = f32x4.div(b, count);
    const factor = f32x4.mul(load(at(gamma + i)), load(at(inverse + i)));
    for (let r = 0, place = i; r < rows; r += 1, place += width) {
      const rest = f32x4.sub(f32x4.sub(load(at(dy + place)), b), f32x4.mul(load(at(n + place)), g));
      v128.store(at(dx + place), f32x4.mul(factor, rest));
    }
  }
}

// a = z where z > 0, else slope z
export function rectify(z: i32, a: i32, count: i32, slope: f32): void {
  for (let i = 0; i < count; i += 4) {
    const value = load(at(z + i)), below = f32x4.mul(value, f32x4.splat(slope));
    v128.store(at(a + i), v128.bitselect(value, below, f32x4.gt(value, f32x4.splat(0))));
  }
}

// Take the gradient back through it, in its place.
export function rectifyBack(z: i32, da: i32, count: i32, slope: f32): void {
  for (let i = 0; i < count; i += 4) {
    const value = load(at(da + i)), below = f32x4.mul(value, f32x4.splat(slope));
    const above = f32x4.gt(load(at(z + i)), f32x4.splat(0));
    v128.store(at(da + i), v128.bitselect(value, below, above));
  }
}
