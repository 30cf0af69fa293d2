import { defineScenario } from '@cadre/bench';
import { stressAgents } from '../../agents-on-a-bus.ts';

export default defineScenario({
  question: 'How long do answers of 150 agents take, and what is lost, when the socket hub between them is killed?',
  unit: 'request',

  phases: [
    { name: 'steady', durationMs: 5_000, ratePerSecond: 400 },
    { name: 'killed', durationMs: 5_000, ratePerSecond: 400 },
    { name: 'after', durationMs: 5_000, ratePerSecond: 400 },
  ],
  faults: [{ name: 'killTheMiddle', atMs: 5_500 }],
  requestTimeoutMs: 10_000,
  variants: { cadre: (context) => stressAgents('socket', context) },
});
