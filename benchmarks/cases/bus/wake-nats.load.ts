import { needsProgram } from '@cadre/bench';
import { answersLoad, natsRivals } from '../../far-side-cases.ts';

export default answersLoad(
  {
    question:
      'How long does an answer from another process over a NATS server take when 100 a second are asked, so that both sides sleep between?',
    ratePerSecond: 100,
    needs: [needsProgram('nats-server')],
  },
  {
    cadre: async ({ directory }) => (await import('../../rivals/far-side.ts')).openNats(directory),
    ...natsRivals,
  },
);
