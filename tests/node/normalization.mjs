// Normalize batches of one unit's values. The jobs are JSON on the standard input, and so is what
// the page's module makes of each.
import { text } from "node:stream/consumers";

import { moments, normalize, scale, update } from "../../book/_static/live/normalization.js";

const jobs = JSON.parse(await text(process.stdin));
process.stdout.write(JSON.stringify(jobs.map(({ values, gamma, beta, moving, steps }) => {
  const batch = moments(values);
  const updated = update(moving, batch, steps);
  return {
    training: scale(normalize(values, batch), gamma, beta),
    moving: [updated.mean, updated.variance],
    inference: scale(normalize(values, updated), gamma, beta),
  };
})));
