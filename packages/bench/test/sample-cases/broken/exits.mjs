/** Ends its process in the middle of the work. */
export default {
  question: 'What happens when the process is gone?',
  unit: 'item',
  validate: () => undefined,
  variants: { cadre: () => ({ run: (iterations) => (iterations > 1 ? process.exit(7) : iterations) }) },
};
