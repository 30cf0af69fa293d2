import { defineSize } from '@cadre/bench';

export default defineSize({
  question: 'What does @cadre/spawner weigh, packed and by the door?',
  packageName: '@cadre/spawner',
});
