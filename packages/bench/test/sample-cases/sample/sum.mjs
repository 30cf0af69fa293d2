/** Two variants that do the same work, the second of them twice, and so at half the speed. */
const length = 1000;

const sum = (times) => () => {
  const numbers = Float64Array.from({ length }, (_, index) => index);
  return {
    run(iterations) {
      let total = 0;
      for (let iteration = 0; iteration < iterations * times; iteration += 1) {
        total = 0;
        for (const number of numbers) total += number;
      }
      return { total, iterations };
    },
  };
};

export default {
  question: 'How long does it take to add a number?',
  unit: 'number',
  unitsPerIteration: length,
  validate({ total }) {
    if (total !== 499_500) throw new Error(`The sum is ${total}.`);
  },
  variants: { cadre: sum(1), twice: sum(2) },
};
