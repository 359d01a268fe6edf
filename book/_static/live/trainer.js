// A worker that trains one network. The page and it speak by these messages:
//
//   to the worker
//     start   recipe, images: train and valid in pieces, see images.js, shown, and the pixels'
//             moments
//     play    speed: steps a second, or 0 for as many as there can be; until: a step, or null;
//             steps: how many, or null; order: which of the orders to play this is
//     pause
//     look    whether reports say what is in the layers
//     hand    asks for the network
//
//   from the worker
//     state   "ready" with the kernels' name as message, "playing", "paused", "finished",
//             "diverged", or "failed" with a message; order: the last order to play that came
//     report  step, losses (of each step since the last report), evaluations (see below),
//             probabilities (of each class for each image of the strip), perSecond,
//             norms (of each dense layer's weights and gradient), and layers, if looked at
//     network its layers, as network.js gives them
//
// What a message holds is data alone; the arithmetic is training.js.
import { opened } from "./images.js";
import { load } from "./kernels.js";
import { looked } from "./looking.js";
import { Training } from "./training.js";

const SLICE = 30;     // milliseconds of training before messages are read
const REPORT = 100;   // milliseconds between two reports
const FEW = 1000;     // images that are evaluated in training mode
const EVALUATIONS = { few: 40, many: 20 };  // in a training, by the number of images

let training = null;
let images = null;
let state = "";
let looking = false;
let speed = 0;
let until = null;
let order = 0;
let pending = null;
let due = 0;
let started = 0;
let done = 0;

const { port1: next, port2: waiting } = new MessageChannel();
waiting.onmessage = () => slice();

function become(what, message = "") {
  state = what;
  postMessage({ type: "state", state, message, order });
}

function fresh() {
  return { losses: [], evaluations: [], layers: null };
}

function evaluated() {
  const { network, step } = training;
  const few = { labels: images.valid.labels.subarray(0, FEW),
    pixels: images.valid.pixels.subarray(0, FEW * network.inputs) };
  const { loss, accuracy } = network.evaluate(images.valid);
  const { batch } = training.recipe;
  const inTraining = network.evaluate(few, { training: true, batch });
  return { step, loss, accuracy, inTraining: inTraining.accuracy };
}

// Tell whether the network is evaluated after so many steps: evenly, and after each epoch.
function isEvaluated(step) {
  const count = images.valid.labels.length > FEW ? EVALUATIONS.many : EVALUATIONS.few;
  const before = Math.floor(((step - 1) * count) / training.steps);
  return Math.floor((step * count) / training.steps) > before;
}

function advance() {
  const { step, steps } = training;
  const last = step + 1 === steps || step + 1 === until;
  const reporting = last || performance.now() >= due;
  pending.losses.push(training.advance(reporting).loss);
  if (training.diverged) return report();
  // Before anything else goes through the network, and takes the batch's place.
  if (reporting && looking) pending.layers = looked(training.network);
  if (isEvaluated(training.step)) pending.evaluations.push(evaluated());
  done += 1;
  if (reporting) report();
}

function report() {
  const { network, step } = training;
  const seconds = (performance.now() - started) / 1000;
  postMessage({
    type: "report",
    ...pending,
    step,
    losses: Float32Array.from(pending.losses),
    probabilities: network.probabilities(images.shown),
    perSecond: done / seconds,
    norms: network.norms().map((weights, place) =>
      ({ weights, gradient: network.layers[place].gradient })),
  });
  pending = fresh();
  due = performance.now() + REPORT;
}

function slice() {
  if (state !== "playing") return;
  const end = performance.now() + SLICE;
  do {
    advance();
    if (training.diverged) return become("diverged");
    if (training.finished) return become("finished");
    if (training.step === until) return become("paused");
    if (speed) return setTimeout(slice, 1000 / speed);
  } while (performance.now() < end);
  next.postMessage(null);
}

const messages = {
  async start({ recipe, images: given }) {
    const [train, valid] = [await opened(given.train), await opened(given.valid)];
    images = { ...given, train, valid };
    training = new Training(recipe, images.train, await load(), { moments: images.moments });
    pending = fresh();
    pending.evaluations.push(evaluated());
    report();
    become("ready", training.network.kernels.name);
  },
  play({ speed: wanted, until: last, steps, order: latest }) {
    order = latest;
    const playing = state === "playing";
    [speed, until] = [wanted, steps ? training.step + steps : last];
    if (playing || training.finished || training.step === until) return;
    [started, done, due] = [performance.now(), 0, 0];
    become("playing");
    slice();
  },
  pause() {
    if (state !== "playing") return;
    report();
    become("paused");
  },
  look({ layers }) {
    looking = layers;
    if (state !== "playing" && training) {
      // Without another step there is the last batch no more: the network looks at the strip.
      training.network.logits(images.shown, true);
      pending.layers = looked(training.network, images.shown.labels.length);
      report();
    }
  },
  hand() {
    postMessage({ type: "network", layers: training.network.parameters() });
  },
};

// One after the other: a network is there only when its kernels are.
let earlier = Promise.resolve();
onmessage = ({ data }) => {
  earlier = earlier.then(() => messages[data.type](data))
    .catch((error) => become("failed", error.message));
};
