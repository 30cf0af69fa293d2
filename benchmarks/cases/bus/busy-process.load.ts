import { answersLoad, processRivals } from '../../far-side-cases.ts';

export default answersLoad(
  {
    question: 'How long does an answer from another process take when 5,000 a second are asked?',
    ratePerSecond: 5_000,
  },
  {
    cadre: async ({ directory }) => (await import('../../rivals/far-side.ts')).openProcess(directory),
    ...processRivals,
  },
);
