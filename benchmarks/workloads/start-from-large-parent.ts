import { strictEqual } from 'node:assert/strict';
import { once } from 'node:events';
import { type ClaimOutcome, defineWorkload, type PreparedVariant, type Probe } from '@cadre/bench';
import { needsWaitingSlots } from '../waiting-slots.ts';

/** Megabytes that a large parent holds; the largest holds twice that. */
const megabytes = { full: 1000, small: 10 };
/** The first of them warm up. */
const starts = { warm: 100, measured: 41 };

type Start = () => Promise<{ readonly ended: Promise<unknown>; readonly exitCode: () => number | null }>;

export default defineWorkload<number>({
  question: 'Start `true` from a process that holds little memory, 1 GB and 2 GB, and see it end.',
  claims: [
    blocking('slots, small', 'a start holds up the event loop', 0.3e6),
    blocking('slots, 1 GB', 'a start holds up the event loop, from 1 GB', 0.3e6),
    blocking('slots, 2 GB', 'a start holds up the event loop, from 2 GB', 0.3e6),
    blocking('spawn, small', 'the same by `child_process.spawn`', undefined),
    blocking('spawn, 1 GB', 'the same by `child_process.spawn`, from 1 GB', undefined),
    blocking('spawn, 2 GB', 'the same by `child_process.spawn`, from 2 GB', undefined),
    {
      what: '`child_process.spawn` over a waiting slot, from 1 GB',
      unit: 'times',
      claimed: 10,
      source: 'the aim: at most a tenth of `child_process.spawn` with a parent of 1 GB',
      read: ({ times }) => times('child_process.spawn, 1 GB', 'cadre, 1 GB'),
      explain: () => 'A fork copies the page tables of whoever forks; a slot is forked by a process of 10 MB.',
    },
    {
      what: '`child_process.spawn` over a waiting slot',
      unit: 'times',
      claimed: 1.67,
      source: 'the aim: at most 0.6 times `child_process.spawn`',
      read: ({ times }) => times('child_process.spawn', 'cadre'),
      explain: ({ verdict }) =>
        verdict === 'missed'
          ? 'Four processes have their turn for each start here, on two cores: this one, the one that forks, the one that takes its orders, and the program.'
          : 'The fork was done ahead.',
    },
  ],
  probes: {
    'slots, small': longestTurn(slots, 0),
    'slots, 1 GB': longestTurn(slots, megabytes.full),
    'slots, 2 GB': longestTurn(slots, megabytes.full * 2),
    'spawn, small': longestTurn(spawns, 0),
    'spawn, 1 GB': longestTurn(spawns, megabytes.full),
    'spawn, 2 GB': longestTurn(spawns, megabytes.full * 2),
  },
  sizes: megabytes,
  make: (size) => ({
    unit: 'process',
    control: 'process',
    needs: [needsWaitingSlots()],
    validate: (sum) => strictEqual(sum, 0),
    variants: {
      cadre: () => prepare(slots, 0),
      'cadre, 1 GB': () => prepare(slots, size),
      'cadre, 2 GB': () => prepare(slots, size * 2),
      'child_process.spawn': () => prepare(spawns, 0),
      'child_process.spawn, 1 GB': () => prepare(spawns, size),
    },
  }),
});

function blocking(probe: string, what: string, claimed: number | undefined) {
  return {
    what,
    unit: 'nanoseconds' as const,
    ...(claimed !== undefined && { claimed }),
    source: claimed === undefined ? 'nobody: it stands here beside ours' : 'the aim: at most 0.3 ms',
    read: ({ probe: read }: ClaimOutcome['figures']) => read(probe),
    explain: () =>
      'The longest turn of the event loop between asking for a program and having it; the median of 41, after 100.',
  };
}

async function slots(): Promise<{ start: Start; close: () => Promise<void> }> {
  const { openSpawnSlots, spawnProcess } = await import('@cadre/spawner');
  const opened = await openSpawnSlots();
  await opened.ready();
  return {
    async start() {
      const { result } = await spawnProcess({ command: 'true', slots: opened });
      let exitCode: number | null = null;
      const ended = result.then((settled) => {
        exitCode = settled.exitCode;
      });
      return { ended, exitCode: () => exitCode };
    },
    close: () => opened.close(),
  };
}

async function spawns(): Promise<{ start: Start; close: () => Promise<void> }> {
  const { spawn } = await import('node:child_process');
  return {
    async start() {
      const child = spawn('true', { stdio: ['ignore', 'pipe', 'pipe'], detached: true });
      const ended = once(child, 'close');
      await once(child, 'spawn');
      return { ended, exitCode: () => child.exitCode };
    },
    close: async () => undefined,
  };
}

async function prepare(open: typeof slots, size: number): Promise<PreparedVariant<number>> {
  const ballast = Buffer.alloc(size * 1_000_000, 1);
  const { start, close } = await open();
  return {
    /** The sum of the exit codes: −1 for a program that has none. */
    async run(iterations) {
      let sum = ballast.byteLength - size * 1_000_000;
      for (let iteration = 0; iteration < iterations; iteration += 1) {
        const { ended, exitCode } = await start();
        await ended;
        sum += exitCode() ?? -1;
      }
      return sum;
    },
    close,
  };
}

/** In nanoseconds, the median. */
function longestTurn(open: typeof slots, size: number): Probe {
  return async () => {
    const ballast = Buffer.alloc(size * 1_000_000, 1);
    const { start, close } = await open();
    const longest: number[] = [];
    for (let index = -starts.warm; index < starts.measured; index += 1) {
      const turns = watchTurns();
      const { ended } = await start();
      const longestMs = turns.longestMs();
      if (index >= 0) longest.push(longestMs);
      await ended;
    }
    await close();
    if (ballast.byteLength !== size * 1_000_000) throw new Error('The memory was not held.');
    longest.sort((left, right) => left - right);
    return (longest[(starts.measured - 1) / 2] ?? Number.NaN) * 1e6;
  };
}

/** The time between one turn of the event loop and the next, while somebody watches. */
function watchTurns(): { longestMs(): number } {
  let last = performance.now();
  let longest = 0;
  let isWatched = true;
  const look = (): void => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
    if (isWatched) setImmediate(look);
  };
  setImmediate(look);
  return {
    longestMs() {
      isWatched = false;
      look();
      return longest;
    },
  };
}
