/**
 * Work that never changes, measured in the same run as the cases. A figure divided by its control's figure can be held
 * against a run on another day or another machine; and the control measured twice a round must equal itself, or the
 * machine is too noisy to say anything. Each is bound by what its name says. Never edit one: every baseline would lie.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { BenchmarkCase } from './case.ts';

export type ControlName = 'cpu' | 'disk' | 'process';

const blockBytes = 4096;

const cpu: BenchmarkCase<number> = {
  question: 'How long does an FNV-1a hash of 4 KiB take?',
  unit: 'block',
  validate(result) {
    if (!Number.isInteger(result)) throw new RangeError(`The hash must be an integer, not ${result}.`);
  },
  variants: {
    control() {
      const block = Uint8Array.from({ length: blockBytes }, (_, index) => (index * 31 + 7) & 0xff);
      return {
        run(iterations) {
          let hash = 0x811c9dc5;
          for (let iteration = 0; iteration < iterations; iteration += 1) {
            for (const byte of block) hash = Math.imul(hash ^ byte, 0x01000193);
          }
          return hash >>> 0;
        },
      };
    },
  },
};

const disk: BenchmarkCase<number> = {
  question: 'How long does it take to write 512 bytes and make them durable, alone?',
  unit: 'write',
  validate: expectIterations,
  variants: {
    control({ directory }) {
      const file = openSync(join(directory, 'control'), 'w');
      const bytes = new Uint8Array(512).fill(0x61);
      return {
        run(iterations) {
          for (let iteration = 0; iteration < iterations; iteration += 1) {
            writeSync(file, bytes);
            fdatasyncSync(file);
          }
          return iterations;
        },
        close: () => closeSync(file),
      };
    },
  },
};

const startAndExit: BenchmarkCase<number> = {
  question: 'How long does `node --version` take from start to exit?',
  unit: 'process',
  validate: expectIterations,
  variants: {
    control() {
      return {
        async run(iterations) {
          let exited = 0;
          for (let iteration = 0; iteration < iterations; iteration += 1) {
            const [exitCode] = await once(spawn(process.execPath, ['--version'], { stdio: 'ignore' }), 'close');
            if (exitCode === 0) exited += 1;
          }
          return exited;
        },
      };
    },
  },
};

export const controls: Readonly<Record<ControlName, BenchmarkCase<number>>> = { cpu, disk, process: startAndExit };

function expectIterations(result: number, iterations: number): void {
  if (result !== iterations) throw new RangeError(`The control did ${result} of ${iterations} iterations.`);
}
