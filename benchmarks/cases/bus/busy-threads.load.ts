import { answersLoad, threadRivals } from '../../far-side-cases.ts';

export default answersLoad(
  {
    question: 'How long does an answer from another thread take when 10,000 a second are asked?',
    ratePerSecond: 10_000,
  },
  {
    cadre: async ({ directory }) => (await import('../../rivals/far-side.ts')).openThread(directory),
    ...threadRivals,
  },
);
