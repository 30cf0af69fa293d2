import { deepStrictEqual } from 'node:assert/strict';
import { defineCase, needsProgram, type PreparedVariant } from '@cadre/bench';
import { agents, type Carrier, openAgents } from '../../agents-on-a-bus.ts';

interface Answers {
  readonly sum: number;
  readonly heard: number;
}

export default defineCase<Answers>({
  question: 'How long does an answer take of 150 agents, all asked at once, each of which asks another first?',
  unit: 'answer',
  unitsPerIteration: agents,
  needs: [needsProgram('nats-server', { variants: ['cadre over NATS', '@nats-io/transport-node'] })],
  validate: ({ sum, heard }, iterations) =>
    deepStrictEqual({ sum, heard }, { sum: (iterations * agents * (agents - 1)) / 2, heard: iterations * agents }),
  variants: {
    cadre: ({ directory }) => prepare('socket', directory),
    'cadre over NATS': ({ directory }) => prepare('nats', directory),
    '@nats-io/transport-node': ({ directory }) => prepare('bare nats', directory),
  },
});

async function prepare(carrier: Carrier, directory: string): Promise<PreparedVariant<Answers>> {
  const open = await openAgents(carrier, directory);
  const askAll = () => Promise.all(Array.from({ length: agents }, (_, agent) => open.ask(agent, agent)));
  // Agents that have hardly run yet take ten times as long, in processes that the ruler does not warm up.
  for (let round = 0; round < 8; round += 1) await askAll();
  return {
    async run(iterations) {
      let sum = 0;
      const before = open.heard;
      for (let iteration = 0; iteration < iterations; iteration += 1) {
        for (const answer of await askAll()) sum += answer;
      }
      return { sum, heard: open.heard - before };
    },
    close: () => open.close(),
  };
}
