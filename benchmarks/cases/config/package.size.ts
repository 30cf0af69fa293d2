import { defineSize } from '@cadre/bench';

export default defineSize({
  question: 'What does @cadre/config weigh, packed and by the door?',
  packageName: '@cadre/config',
});
