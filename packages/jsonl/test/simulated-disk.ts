/**
 * A disk that keeps apart what is synced and what is not, and at a chosen operation loses the machine. Each write, and
 * each change of a name, that was not synced is then on disk or not, whatever came before or after it; of a write it
 * may also be the first part, or all of it with sectors of zeros.
 */
import { constants } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { FileIdentity, FileOperations } from '../src/index.ts';

export type Random = (below: number) => number;

type Change = { readonly write: Buffer } | { readonly truncate: number };
type Names = Map<string, SimulatedFile>;
type NameChange = (names: Names) => void;

interface SimulatedFile {
  readonly inode: bigint;
  durable: Buffer;
  pending: Change[];
}

export class SimulatedDisk {
  #durableNames: Names = new Map();
  #names: Names = new Map();
  #nameChanges: NameChange[] = [];
  #open = new Map<number, SimulatedFile>();
  #nextFile = 1_000_000;
  #nextInode: bigint;
  #operationsLeft = 0;

  /** Inodes are counted from `firstInode`: they name locks, which other tests hold too. */
  constructor(firstInode: bigint) {
    this.#nextInode = firstInode;
  }

  /** What a power failure now would at best leave: names and contents. */
  contents(): ReadonlyMap<string, Buffer> {
    return new Map([...this.#names].map(([name, file]) => [name, contentOf(file)]));
  }

  /** Two names of one file. */
  areSame(one: string, other: string): boolean {
    const file = this.#names.get(one);
    return file !== undefined && file === this.#names.get(other);
  }

  clear(): void {
    this.#durableNames.clear();
    this.#names.clear();
  }

  /** The machine runs for this many operations. */
  powerOn(operationCount: number): FileOperations {
    this.#operationsLeft = operationCount;
    const step = () => {
      if (this.#operationsLeft-- <= 0) throw new Error('power lost');
    };
    const change = (apply: NameChange) => {
      this.#nameChanges.push(apply);
      apply(this.#names);
      step();
    };
    return {
      open: async (path, flags) => {
        step();
        let file = this.#names.get(path);
        if (file !== undefined && (flags & constants.O_EXCL) !== 0) throw systemError('EEXIST');
        if (file === undefined) {
          if ((flags & constants.O_CREAT) === 0) throw systemError('ENOENT');
          const created = { inode: this.#nextInode++, durable: Buffer.alloc(0), pending: [] };
          change((names) => names.set(path, created));
          file = created;
        } else if ((flags & constants.O_TRUNC) !== 0) file.pending.push({ truncate: 0 });
        this.#open.set(++this.#nextFile, file);
        return this.#nextFile;
      },
      close: async (file) => {
        this.#open.delete(file);
      },
      read: async (file, buffer, position) => {
        step();
        return contentOf(this.#fileOf(file)).copy(buffer, 0, position);
      },
      write: (file, bytes) => {
        this.#fileOf(file).pending.push({ write: Buffer.from(bytes) });
        step();
        return bytes.length;
      },
      truncate: async (file, size) => {
        this.#fileOf(file).pending.push({ truncate: size });
        step();
      },
      datasync: async (file) => {
        step();
        const synced = this.#fileOf(file);
        synced.durable = contentOf(synced);
        synced.pending = [];
      },
      syncEntry: async () => {
        step();
        this.#durableNames = new Map(this.#names);
        this.#nameChanges = [];
      },
      stat: (target) => identityOf(typeof target === 'number' ? this.#fileOf(target) : this.#names.get(target)),
      link: async (path, name) => {
        const file = this.#names.get(path);
        if (file === undefined) throw systemError('ENOENT');
        if (this.#names.has(name)) throw systemError('EEXIST');
        change((names) => names.set(name, file));
      },
      rename: async (from, to) => {
        const file = this.#names.get(from);
        if (file === undefined) throw systemError('ENOENT');
        change((names) => {
          names.delete(from);
          names.set(to, file);
        });
      },
      remove: async (path) => {
        if (this.#names.has(path)) change((names) => names.delete(path));
        else step();
      },
      list: async (directory) => {
        step();
        return [...this.#names.keys()].filter((path) => dirname(path) === directory).map((path) => basename(path));
      },
    };
  }

  /** Says whether what is left of the unsynced changes is neither all nor nothing of them. */
  losePower(random: Random): boolean {
    let isTorn = false;
    const files = new Set([...this.#durableNames.values(), ...this.#names.values()]);
    for (const file of files) {
      const [before, after] = [file.durable, contentOf(file)];
      for (const change of file.pending) file.durable = apply(file.durable, garbled(change, random));
      file.pending = [];
      isTorn ||= !file.durable.equals(before) && !file.durable.equals(after);
    }
    const kept = this.#nameChanges.filter(() => random(2) === 0);
    isTorn ||= kept.length > 0 && kept.length < this.#nameChanges.length;
    for (const change of kept) change(this.#durableNames);
    this.#nameChanges = [];
    this.#names = new Map(this.#durableNames);
    this.#open.clear();
    return isTorn;
  }

  #fileOf(file: number): SimulatedFile {
    const found = this.#open.get(file);
    if (found === undefined) throw systemError('EBADF');
    return found;
  }
}

export const simulatedFolder = join('/', 'simulated');

export function seeded(start: number): Random {
  let state = start | 0;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

function contentOf(file: SimulatedFile): Buffer {
  return file.pending.length === 0 ? file.durable : file.pending.reduce(apply, file.durable);
}

function identityOf(file: SimulatedFile | undefined): FileIdentity | undefined {
  return file && { device: 0n, inode: file.inode, size: contentOf(file).length, isFile: true };
}

function apply(content: Buffer, change: Change): Buffer {
  return 'write' in change ? Buffer.concat([content, change.write]) : content.subarray(0, change.truncate);
}

function garbled(change: Change, random: Random): Change {
  if ('truncate' in change) return random(2) === 0 ? change : { write: Buffer.alloc(0) };
  const { write } = change;
  switch (random(4)) {
    case 0:
      return change;
    case 1:
      return { write: Buffer.alloc(0) };
    case 2:
      return { write: write.subarray(0, random(write.length)) };
    default: {
      const holes = Buffer.from(write);
      for (let sector = 0; sector < holes.length; sector += 512)
        if (random(2) === 0) holes.fill(0, sector, Math.min(holes.length, sector + 512));
      return { write: holes };
    }
  }
}

function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: simulated`), { code });
}
