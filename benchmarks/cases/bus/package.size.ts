import { defineSize } from '@cadre/bench';

export default defineSize({
  question: 'What does @cadre/bus weigh, packed and by the door?',
  packageName: '@cadre/bus',
});
