import { defineSize } from '@cadre/bench';

export default defineSize({
  question: 'What does @cadre/agents weigh, packed and by the door?',
  packageName: '@cadre/agents',
});
