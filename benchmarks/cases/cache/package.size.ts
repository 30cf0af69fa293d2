import { defineSize } from '@cadre/bench';

export default defineSize({
  question: 'What does @cadre/cache weigh, packed and by the door?',
  packageName: '@cadre/cache',
});
