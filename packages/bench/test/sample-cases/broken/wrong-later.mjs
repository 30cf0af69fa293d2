/** Right once, wrong in a long batch: what a cache that answers from an earlier run would look like. */
export default {
  question: 'Is a wrong result of a timed batch noticed?',
  unit: 'item',
  validate(result, iterations) {
    if (result !== iterations) throw new Error(`${result} of ${iterations}`);
  },
  variants: { cadre: () => ({ run: (iterations) => Math.min(iterations, 3) }) },
};
