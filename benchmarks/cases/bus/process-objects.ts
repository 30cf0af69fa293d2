import { objectsCase, processRivals } from '../../far-side-cases.ts';

export default objectsCase(
  { question: 'How long does an object take to another process, 2,000 at a time?' },
  {
    cadre: async ({ directory }) => (await import('../../rivals/far-side.ts')).openProcess(directory),
    ...processRivals,
  },
);
