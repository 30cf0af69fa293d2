import { processRivals, roundTripCase } from '../../far-side-cases.ts';

export default roundTripCase(
  { question: 'How long does an answer from another process take, one request after the other?' },
  {
    cadre: async ({ directory }) => (await import('../../rivals/far-side.ts')).openProcess(directory),
    ...processRivals,
  },
);
