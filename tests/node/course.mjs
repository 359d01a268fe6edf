// Train networks on whole parts as the page does, and print how each training went. The job is
// JSON on the standard input: the file of each part, which has the labels of its images, one byte
// each, and then their pixels; how many images it has; and recipes.
import { readFileSync } from "node:fs";
import { text } from "node:stream/consumers";

import { compiled } from "../../book/_static/live/kernels.js";
import { Training } from "../../book/_static/live/training.js";

const bytes = readFileSync(new URL("../../book/_static/live/kernels.wasm", import.meta.url));
const { parts, recipes } = JSON.parse(await text(process.stdin));
const [train, valid, test] = ["train", "valid", "test"].map((name) => {
  const all = new Uint8Array(readFileSync(parts[name].file));
  return { labels: all.slice(0, parts[name].count), pixels: all.slice(parts[name].count) };
});

const found = [];
for (const recipe of recipes) {
  const training = new Training(recipe, train, await compiled(bytes));
  const history = { loss: [], val_loss: [], val_accuracy: [] };
  const count = train.labels.length;
  while (!training.finished) {
    let sum = 0;
    for (let from = 0; from < count && !training.diverged; from += recipe.batch) {
      // Keras's mean counts images, and the last batch of an epoch may have fewer.
      sum += training.advance().loss * Math.min(recipe.batch, count - from);
    }
    const { loss, accuracy } = training.network.evaluate(valid);
    history.loss.push(sum / count);
    history.val_loss.push(loss);
    history.val_accuracy.push(accuracy);
  }
  found.push({ history, test_accuracy: training.network.evaluate(test).accuracy });
}
process.stdout.write(JSON.stringify(found));
