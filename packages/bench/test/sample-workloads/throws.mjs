import { defineWorkload } from '../../dist/index.js';

export default defineWorkload({
  question: 'Fail in a probe.',
  claims: [],
  probes: {
    bad: () => {
      throw new RangeError('The work was not done.');
    },
  },
  sizes: { full: 1, small: 1 },
  make: () => ({
    unit: 'nothing',
    validate: () => undefined,
    variants: { cadre: () => ({ run: (count) => spin(count) }) },
  }),
});

function spin(count) {
  let last = 0;
  for (let turn = 0; turn < count; turn += 1) last = Math.imul(last + turn, 31) % 1000;
  return last === -1;
}
