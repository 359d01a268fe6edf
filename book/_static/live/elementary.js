// The exponential function and the logarithm with the same digits in every browser, which
// JavaScript does not promise of its own. Both are good to the last two bits or so of a float64.

const LN2_HIGH = 0.693147180369123816490;  // its last 32 bits are zero
const LN2_LOW = 1.90821492927058770002e-10;
const TERMS = 14;

const HALVED = [1];
while (HALVED.at(-1) > 0) HALVED.push(HALVED.at(-1) / 2);

// e to the power of a number that is not above zero.
export function exp(power) {
  if (Number.isNaN(power)) return power;
  const halvings = Math.floor(0.5 - power / (LN2_HIGH + LN2_LOW));
  if (halvings >= HALVED.length) return 0;
  const rest = power + halvings * LN2_HIGH + halvings * LN2_LOW;
  let sum = 1;
  for (let term = TERMS; term > 0; term -= 1) sum = 1 + (sum * rest) / term;
  return sum * HALVED[halvings];
}

// The natural logarithm of a number from 1.
export function log(number) {
  if (!(number < Infinity)) return number;
  let [mantissa, doublings] = [number, 0];
  while (mantissa > Math.SQRT2) {
    mantissa /= 2;
    doublings += 1;
  }
  // ln m = 2 artanh((m - 1) / (m + 1))
  const ratio = (mantissa - 1) / (mantissa + 1);
  let sum = 0;
  for (let term = 2 * TERMS - 1; term > 0; term -= 2) sum = sum * ratio * ratio + 1 / term;
  return doublings * LN2_LOW + 2 * ratio * sum + doublings * LN2_HIGH;
}
