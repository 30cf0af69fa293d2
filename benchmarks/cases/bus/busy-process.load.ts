import { answersLoad, processRivals } from '../../far-side-cases.ts';

export default answersLoad(
  {
    question: 'How long does an answer from another process take when 10,000 a second are asked?',
    ratePerSecond: 10_000,
  },
  {
    cadre: async ({ directory }) => (await import('../../rivals/far-side.ts')).openProcess(directory),
    ...processRivals,
  },
);
