import { needsProgram } from '@cadre/bench';
import { agentsScenario } from '../../agents-on-a-bus.ts';

export default agentsScenario('nats', {
  question: 'How long do answers of 150 agents take, and what is lost, when the NATS server between them is killed?',
  needs: [needsProgram('nats-server')],
});
