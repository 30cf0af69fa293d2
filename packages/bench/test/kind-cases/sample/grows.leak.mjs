/** Three known answers: nothing is kept, a listener's worth of heap is, a descriptor is. */
import { closeSync, openSync } from 'node:fs';

const cycling = (cycle) => () => {
  let cycles = 0;
  const kept = [];
  return {
    cycle() {
      cycles += 1;
      cycle(kept, cycles);
    },
    summarise: () => cycles,
  };
};

export default {
  kind: 'leak',
  question: 'What does a cycle leave behind?',
  unit: 'cycle',
  cyclesPerSample: 1000,
  samples: 12,
  warmupSamples: 5,
  validate(result, cycles) {
    if (result !== cycles) throw new Error(`${result} of ${cycles} cycles.`);
  },
  variants: {
    cadre: cycling(() => Buffer.alloc(100)),
    heap: cycling((kept, cycles) => kept.push({ name: `listener ${cycles}` })),
    descriptor: cycling((kept, cycles) => {
      const file = openSync('/dev/null');
      if (cycles % 50 === 0) kept.push(file);
      else closeSync(file);
    }),
  },
};
