import { defineSize } from '@cadre/bench';

export default defineSize({
  question: 'What does @cadre/workflow weigh, packed and by the door?',
  packageName: '@cadre/workflow',
});
