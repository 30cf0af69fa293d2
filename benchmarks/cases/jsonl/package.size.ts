import { defineSize } from '@cadre/bench';

export default defineSize({
  question: 'What does @cadre/jsonl weigh, packed and by the door?',
  packageName: '@cadre/jsonl',
});
