import { needsProgram } from '@cadre/bench';
import { natsRivals, roundTripCase } from '../../far-side-cases.ts';

export default roundTripCase(
  {
    question: 'How long does an answer over a NATS server take, one request after the other?',
    needs: [needsProgram('nats-server')],
  },
  {
    cadre: async ({ directory }) => (await import('../../rivals/far-side.ts')).openNats(directory),
    ...natsRivals,
  },
);
