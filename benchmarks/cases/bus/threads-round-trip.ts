import { roundTripCase, threadRivals } from '../../far-side-cases.ts';

export default roundTripCase(
  { question: 'How long does an answer from another thread take, one request after the other?' },
  {
    cadre: async ({ directory }) => (await import('../../rivals/far-side.ts')).openThread(directory),
    ...threadRivals,
  },
);
