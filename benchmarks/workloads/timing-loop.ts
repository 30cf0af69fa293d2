import { ok, strictEqual } from 'node:assert/strict';
import { type Claim, defineWorkload, type PreparedVariant } from '@cadre/bench';

const bytes = 4000;
/** The same work on more bytes: 5 % longer, by construction. */
const more = 4200;
const source = 'by construction, not by anybody’s report';

/** Nanoseconds of a call, as a library's timing loop says. */
type TimeCall = (call: () => unknown) => Promise<number>;

const libraries = {
  mitata: async () => (await import('../rivals/mitata.ts')).timeCall,
  tinybench: async () => (await import('../rivals/tinybench.ts')).timeCall,
};

export default defineWorkload<number>({
  question: 'Find that one piece of work takes 5 % longer than another, and say how long it takes.',
  claims: [
    found('cadre, in fresh processes', ({ times }) => times('5 % more work')),
    found('mitata, in one process', ({ probe }) => probe('mitata, difference')),
    found('tinybench, in one process', ({ probe }) => probe('tinybench, difference')),
    median('mitata', ({ probe }) => probe('mitata, over counted')),
    median('tinybench', ({ probe }) => probe('tinybench, over counted')),
    median('cadre', ({ time, probe }) => {
      const { estimate, low, high } = time();
      const counted = probe('counted').estimate;
      return { estimate: estimate / counted, low: low / counted, high: high / counted };
    }),
  ],
  probes: {
    counted: () => countTime(makeWork(bytes)),
    'mitata, difference': () => difference(libraries.mitata),
    'tinybench, difference': () => difference(libraries.tinybench),
    'mitata, over counted': () => overCounted(libraries.mitata),
    'tinybench, over counted': () => overCounted(libraries.tinybench),
  },
  sizes: { full: 1, small: 1 },
  make: () => ({
    unit: 'call',
    validate: (isHash) => strictEqual(isHash, 1),
    variants: { cadre: () => repeated(bytes), '5 % more work': () => repeated(more) },
  }),
});

function found(what: string, read: Claim['read']): Claim {
  return {
    what: `5 % more work, ${what}`,
    unit: 'timesExactly',
    claimed: more / bytes,
    source,
    read,
    explain: ({ verdict, measured }) =>
      verdict === 'met'
        ? `It is ${Math.abs(measured.estimate / (more / bytes) - 1) < 0.001 ? 'less than 0.1' : percentOff(measured.estimate / (more / bytes))} % from the truth.`
        : `It is ${percentOff(measured.estimate / (more / bytes))} % from the truth: what else ran on the machine is in the figure.`,
  };
}

function median(library: string, read: Claim['read']): Claim {
  return {
    what: `${library}’s median over the counted time`,
    unit: 'timesExactly',
    claimed: 1,
    source,
    read,
    explain: ({ measured }) =>
      `The counted time is that of 10,000 calls between two readings of the clock; the median is ${percentOff(measured.estimate)} % from it.`,
  };
}

function percentOff(ratio: number): string {
  return `${(Math.abs(ratio - 1) * 100).toFixed(2)}`;
}

async function difference(library: () => Promise<TimeCall>): Promise<number> {
  const timeCall = await library();
  return (await timeCall(makeWork(more))) / (await timeCall(makeWork(bytes)));
}

async function overCounted(library: () => Promise<TimeCall>): Promise<number> {
  const timeCall = await library();
  const work = makeWork(bytes);
  const before = countTime(work);
  const timed = await timeCall(work);
  return timed / ((before + countTime(work)) / 2);
}

/** Nanoseconds of a call, from 10,000 of them between two readings of the clock. */
function countTime(work: () => number): number {
  const calls = 10_000;
  for (let call = 0; call < calls / 10; call += 1) work();
  const start = process.hrtime.bigint();
  let hash = 0;
  for (let call = 0; call < calls; call += 1) hash ^= work();
  const nanoseconds = Number(process.hrtime.bigint() - start);
  ok(Number.isInteger(hash));
  return nanoseconds / calls;
}

function makeWork(length: number): () => number {
  const block = Uint8Array.from({ length }, (_, index) => (index * 31 + 7) & 0xff);
  return () => {
    let hash = 0x811c9dc5;
    for (const byte of block) hash = Math.imul(hash ^ byte, 0x01000193);
    return hash;
  };
}

function repeated(length: number): PreparedVariant<number> {
  const work = makeWork(length);
  return {
    run(iterations) {
      // Different lengths hash to different values; that both are hashes is what can be compared.
      let hash = 0;
      for (let iteration = 0; iteration < iterations; iteration += 1) hash = work();
      return Number.isInteger(hash) ? 1 : 0;
    },
  };
}
