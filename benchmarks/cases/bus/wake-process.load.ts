import { answersLoad, processRivals } from '../../far-side-cases.ts';

export default answersLoad(
  {
    question:
      'How long does an answer from another process take when 100 a second are asked, so that both sides sleep between?',
    ratePerSecond: 100,
  },
  {
    cadre: async ({ directory }) => (await import('../../rivals/far-side.ts')).openProcess(directory),
    ...processRivals,
  },
);
