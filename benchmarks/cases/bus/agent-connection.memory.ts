import { strictEqual } from 'node:assert/strict';
import { join } from 'node:path';
import { defineMemory, needsProgram, type PreparedMemory } from '@cadre/bench';
import type { Transport } from '@cadre/bus';

export default defineMemory<number>({
  question:
    'What does one more agent on a bus keep in memory: its connection, a subscription, and what the hub knows of it?',
  unit: 'agent',
  sizes: [50, 100, 150],
  needs: [needsProgram('nats-server', { variants: ['cadre over NATS, the server apart'] })],
  validate: (answered, agents) => strictEqual(answered, agents),
  variants: {
    async cadre({ directory }) {
      const { openSocketHub, openSocketTransport } = await import('@cadre/bus/socket');
      const hub = await openSocketHub({ path: join(directory, 'hub') });
      return prepare(
        () => openSocketTransport({ path: hub.path }),
        () => hub.close(),
      );
    },
    async 'cadre over NATS, the server apart'({ directory }) {
      const [{ openNatsTransport }, { startNatsServer }] = await Promise.all([
        import('@cadre/bus/nats'),
        import('../../rivals/nats-server.ts'),
      ]);
      const server = await startNatsServer(directory);
      return prepare(
        () => openNatsTransport({ servers: [server.address] }),
        () => server.close(),
      );
    },
  },
});

async function prepare(open: () => Promise<Transport>, close: () => Promise<void>): Promise<PreparedMemory<number>> {
  const { createBus } = await import('@cadre/bus');
  const first = await open();
  const asker = createBus({ transport: first });
  const transports: Transport[] = [];
  return {
    async fill(agents) {
      for (let agent = 0; agent < agents; agent += 1) {
        const transport = await open();
        transports.push(transport);
        const bus = createBus({ transport });
        bus.subscribe(`agent.${agent}.ask`, (message) => message.respond?.(1));
        await bus.flush();
      }
    },
    async summarise() {
      const answers = transports.map((_, agent) => asker.request<number>(`agent.${agent}.ask`, 0));
      return (await Promise.all(answers)).reduce((sum, { data }) => sum + data, 0);
    },
    async close() {
      await Promise.all([first, ...transports].map((transport) => transport.close()));
      await close();
    },
  };
}
