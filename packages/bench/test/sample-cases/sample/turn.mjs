/** An asynchronous case. */
export default {
  question: 'How long does a turn of the event loop take?',
  unit: 'turn',
  validate(result, iterations) {
    if (result !== iterations) throw new Error(`${result} turns of ${iterations}.`);
  },
  variants: {
    async cadre() {
      return {
        async run(iterations) {
          for (let turn = 0; turn < iterations; turn += 1) await new Promise((resolve) => setImmediate(resolve));
          return iterations;
        },
      };
    },
  },
};
