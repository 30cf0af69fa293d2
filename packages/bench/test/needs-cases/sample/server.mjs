/** A case that needs what no machine has. */
export default {
  question: 'What does a server answer?',
  unit: 'answer',
  needs: [{ name: 'no-such-server', isHere: () => false }],
  validate: () => undefined,
  variants: {
    cadre: () => {
      throw new Error('It was started without its server.');
    },
  },
};
