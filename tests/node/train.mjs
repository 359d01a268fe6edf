// Train networks as the page does, and print what became of them. The job is JSON on the standard
// input: images (base64) and labels, what else the networks are made with, and for each run a
// recipe with the steps after which to look at it.
import { readFileSync } from "node:fs";
import { text } from "node:stream/consumers";

import { compiled } from "../../book/_static/live/kernels.js";
import { Training } from "../../book/_static/live/training.js";
import { twin } from "../../book/_static/live/twin.js";

const bytes = readFileSync(new URL("../../book/_static/live/kernels.wasm", import.meta.url));
const KERNELS = {
  compiled: () => compiled(bytes),
  twin: () => twin(),
  "twin in float64": () => twin(Float64Array),
};

const job = JSON.parse(await text(process.stdin));
const pixels = Buffer.from(job.images, "base64");
const part = { pixels, labels: job.labels };
const shown = { pixels: pixels.subarray(0, job.shown * job.about.inputs), labels: job.labels };

const look = ({ network }) => ({
  parameters: network.parameters(),
  gradients: network.layers.map(({ gradient }) => gradient),
  logits: network.logits(shown),
  inTraining: network.logits(shown, true),
});

const found = [];
for (const { recipe, kernels = "compiled", looks } of job.runs) {
  const training = new Training(recipe, part, await KERNELS[kernels](), job.about);
  const run = { before: training.network.parameters(), batches: [], losses: [], after: [] };
  for (const steps of looks) {
    while (training.step < steps && !training.finished) {
      // What the training takes next is what a second one of the same recipe takes.
      run.losses.push(training.advance(training.step + 1 === steps).loss);
    }
    run.after.push(look(training));
  }
  const again = new Training(recipe, part, twin(), job.about);
  while (run.batches.length < training.step) run.batches.push([...again.next()]);
  found.push({ ...run, step: training.step, diverged: training.diverged });
}
process.stdout.write(JSON.stringify(found));
