import { defineSize } from '@cadre/bench';

export default defineSize({
  question: 'What does @cadre/bench weigh, packed and by the door?',
  packageName: '@cadre/bench',
});
