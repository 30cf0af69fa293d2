/** Work of no interest; what counts is whether it is said to be about durable data. */
export default {
  question: 'How long does a durable addition take?',
  unit: 'addition',
  durable: true,
  validate(result, iterations) {
    if (result !== iterations) throw new Error(`${result} of ${iterations}`);
  },
  variants: {
    cadre: () => ({
      run(iterations) {
        let sum = 0;
        for (let iteration = 0; iteration < iterations; iteration += 1) sum += 1;
        return sum;
      },
    }),
  },
};
