import { needsProgram } from '@cadre/bench';
import { natsRivals, objectsCase } from '../../far-side-cases.ts';

export default objectsCase(
  {
    question: 'How long does an object take to another process over a NATS server, 2,000 at a time?',
    needs: [needsProgram('nats-server')],
  },
  {
    cadre: async ({ directory }) => (await import('../../rivals/far-side.ts')).openNats(directory),
    ...natsRivals,
  },
);
