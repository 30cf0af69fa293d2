/** A case of which one rival can't be had. */
const count = () => ({
  run(iterations) {
    let sum = 0;
    for (let iteration = 0; iteration < iterations * 1000; iteration += 1) sum += Math.sign(iteration + 1);
    return sum;
  },
});

export default {
  question: 'How long does it take to count?',
  unit: 'number',
  needs: [{ name: 'no-such-library', isHere: async () => false, variants: ['missing'] }],
  validate: () => undefined,
  variants: {
    cadre: count,
    missing: () => {
      throw new Error('It was loaded although it is missing.');
    },
    other: count,
  },
};
