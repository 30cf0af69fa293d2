import { strictEqual } from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineWorkload, type PreparedVariant } from '@cadre/bench';

const event = {
  type: 'attemptSettled',
  task: 'collect-files',
  attempt: 1,
  at: 1_760_000_000_000,
  note: 'x'.repeat(140),
};
const source = 'the original reports: "1,000 durable writes, 8,824 per second"; they don\'t say how many callers wrote';

export default defineWorkload<number>({
  question: 'Make 1,000 records of about 220 bytes durable.',
  claims: [
    {
      what: 'one caller, who waits for each',
      unit: 'perSecond',
      claimed: 8824,
      source,
      read: ({ rate }) => rate(),
      explain({ verdict, figures }) {
        const disk = Math.round(figures.rate('write + fdatasync, one by one').estimate).toLocaleString('en');
        return `Each record waits for one fdatasync, so the disk decides: a bare write and fdatasync in a loop reaches ${disk}/s here${
          verdict === 'missed' ? ', and a disk that can’t sync so often can’t keep the claim' : ''
        }.`;
      },
    },
    {
      what: '1,000 callers at once',
      unit: 'perSecond',
      claimed: 8824,
      source,
      read: ({ rate }) => rate('cadre, all at once'),
      explain: ({ verdict }) =>
        verdict === 'missed'
          ? 'Callers who wait together share a sync, and even so this disk is too slow.'
          : 'Callers who wait together share one write and one fdatasync, so that many records cost what one does.',
    },
  ],
  sizes: { full: 1000, small: 20 },
  make: (size) => ({
    unit: 'record',
    unitsPerIteration: size,
    control: 'disk',
    durable: true,
    validate: (lines) => strictEqual(lines, size),
    variants: {
      cadre: ({ directory }) =>
        logging(directory, async (append) => {
          for (let index = 0; index < size; index += 1) await append();
        }),
      'cadre, all at once': ({ directory }) =>
        logging(directory, (append) => Promise.all(Array.from({ length: size }, append))),
      async 'write + fdatasync, one by one'({ directory }) {
        const { openSerialLog } = await import('../rivals/node-fs.ts');
        const path = join(directory, 'serial.jsonl');
        const log = openSerialLog(path);
        return counted(path, size, () => log.appendBurst(event, size), log.close);
      },
    },
  }),
});

async function logging(
  directory: string,
  write: (append: () => Promise<void>) => Promise<unknown>,
): Promise<PreparedVariant<number>> {
  const { openJsonlLog } = await import('@cadre/jsonl');
  const path = join(directory, 'log.jsonl');
  const log = await openJsonlLog(path);
  let appended = 0;
  return {
    async run(iterations) {
      const before = appended;
      for (let iteration = 0; iteration < iterations; iteration += 1) {
        await write(() => {
          appended += 1;
          return log.append(event);
        });
      }
      expectLineCount(path, appended);
      return (appended - before) / iterations;
    },
    close: () => log.close(),
  };
}

function counted(path: string, size: number, write: () => void, close: () => void): PreparedVariant<number> {
  let appended = 0;
  return {
    run(iterations) {
      for (let iteration = 0; iteration < iterations; iteration += 1) {
        write();
        appended += size;
      }
      expectLineCount(path, appended);
      return size;
    },
    close,
  };
}

/** Reads the file back: a fraction of a millisecond beside a hundred of syncing. */
function expectLineCount(path: string, count: number): void {
  const lines = readFileSync(path, 'latin1')
    .split('\n')
    .filter((line) => line !== '').length;
  strictEqual(lines, count);
}
