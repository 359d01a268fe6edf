// Experiments to begin with: an address each, what to do, and what to look for.
export const CHALLENGES = [
  {
    title: "Make the baseline diverge, then rescue it without BN",
    state: "images=5000&epochs=10&rate=1&network=baseline,scale=4",
    text: "It diverges. Which single choice, other than BN, lets it learn: the rate, the scale of " +
      "the first weights, the pixels? Watch at which step the loss leaves the chart.",
  },
  {
    title: "Find the rate at which BN no longer helps",
    state: "images=5000&epochs=20&rate=0.03&network=baseline&network=bn_approach_one",
    text: "Turn both networks' learning rate up and down. Where do the curves of validation " +
      "accuracy meet, and on which side of it would you train?",
  },
  {
    title: "Keep the order and watch",
    state: "images=5000&epochs=30&rate=0.03&network=bn_approach_one,order=same" +
      "&network=bn_approach_one,order=fresh",
    text: "The same network, once with the same batches in every epoch. Look at the training loss " +
      "first, then at the validation accuracy: which of the two do repeated neighbours change?",
  },
  {
    title: "Twenty layers without BN",
    state: "images=5000&epochs=10&hidden=" + new Array(20).fill(50).join("-") +
      "&rate=0.01&network=baseline,initializer=glorot_uniform,activation=relu" +
      "&network=bn_approach_two",
    text: "Does the plain one leave the loss that it began with? Look inside: how wide is what " +
      "enters the last hidden layers? Then try He's first weights.",
  },
  {
    title: "Is it BN, or is it standardized pixels?",
    state: "images=5000&epochs=20&network=baseline&network=baseline,pixels=standardized" +
      "&network=bn_approach_one&network=bn_approach_one,pixels=raw",
    text: "Four networks at the notebook's rate. How much of the lead of approach one does the " +
      "baseline get by standardizing the pixels once? Then raise the rate of all four.",
  },
  {
    title: "Batches of two",
    state: "images=5000&epochs=2&network=baseline,batch=2&network=bn_approach_one,batch=2",
    text: "Two images are a poor estimate of a mean. Compare the accuracy in training mode with " +
      "that in inference mode, in the table of numbers.",
  },
  {
    title: "Forget faster, or not at all",
    state: "images=5000&epochs=5&network=bn_approach_one,momentum=0.9" +
      "&network=bn_approach_one&network=bn_approach_one,momentum=0.999",
    text: "The weights are the same in all three; only the moving averages differ. When does each " +
      "network's validation accuracy become what its weights are worth?",
  },
  {
    title: "First weights ten times too large",
    state: "images=5000&epochs=20&scale=10&network=baseline&network=bn_approach_two",
    text: "What follows a normalization does not see the scale of the weights before it. Is that " +
      "what the curves say? Look inside at what enters and what leaves each layer.",
  },
];
