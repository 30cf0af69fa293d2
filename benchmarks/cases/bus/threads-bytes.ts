import { bytesCase, threadRivals } from '../../far-side-cases.ts';

export default bytesCase(
  { question: 'How long do 200 bytes take to another thread, 2,000 at a time?' },
  {
    cadre: async ({ directory }) => (await import('../../rivals/far-side.ts')).openThread(directory),
    ...threadRivals,
  },
);
