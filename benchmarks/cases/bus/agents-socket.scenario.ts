import { agentsScenario } from '../../agents-on-a-bus.ts';

export default agentsScenario('socket', {
  question: 'How long do answers of 150 agents take, and what is lost, when the socket hub between them is killed?',
});
