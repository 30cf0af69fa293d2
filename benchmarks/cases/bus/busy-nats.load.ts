import { needsProgram } from '@cadre/bench';
import { answersLoad, natsRivals } from '../../far-side-cases.ts';

export default answersLoad(
  {
    question: 'How long does an answer from another process over a NATS server take when 2,000 a second are asked?',
    ratePerSecond: 2_000,
    needs: [needsProgram('nats-server')],
  },
  {
    cadre: async ({ directory }) => (await import('../../rivals/far-side.ts')).openNats(directory),
    ...natsRivals,
  },
);
