import { answersLoad } from '../../far-side-cases.ts';

export default answersLoad(
  {
    question: 'How long does an answer in the same process take when 10,000 a second are asked?',
    ratePerSecond: 10_000,
  },
  {
    cadre: async () => (await import('../../rivals/far-side.ts')).openWithin(),
    emittery: async () => (await import('../../rivals/emittery.ts')).openEmitteryWithin(),
  },
);
