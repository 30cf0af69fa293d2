/** Two variants that answer the same, one at once and one after a turn of the event loop. */
const answering = (answer) => () => {
  let sum = 0;
  return {
    request: (index) => answer(() => (sum += index)),
    summarise: () => ({ sum }),
  };
};

export default {
  kind: 'load',
  question: 'How long does an answer take at 2,000 requests a second?',
  unit: 'request',
  ratePerSecond: 2000,
  warmupMs: 100,
  durationMs: 100,
  validate({ sum }, requests) {
    if (sum !== (requests * (requests - 1)) / 2) throw new Error(`The sum of ${requests} is ${sum}.`);
  },
  variants: {
    cadre: answering((work) => work()),
    later: answering((work) => new Promise((resolve) => setImmediate(() => resolve(work())))),
  },
};
