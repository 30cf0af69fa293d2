/**
 * Says whose write is under way in a log that writers fill with the records of `programs/append-records.mjs`, by walking
 * the file: a record says at its beginning whose it is and how long it will be.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

/** So much of a record is written that its beginning can be read, and so much is left that a kill can come in time. */
const leastWritten = 64 * 1024;
const leastLeft = 256 * 1024;

export class WriteWatch {
  readonly #file: number;
  readonly #head = Buffer.alloc(100);
  #position: number;

  constructor(path: string, start: number) {
    this.#position = start;
    this.#file = openSync(path, 'r');
  }

  /**
   * Looks without pause, which is the only way to catch a write, until one of the writers is in the middle of a long one.
   * Undefined: none was for two seconds.
   */
  writerInTheMiddle(alive: ReadonlySet<string>): string | undefined {
    const deadline = performance.now() + 2_000;
    while (performance.now() < deadline) {
      const { size } = fstatSync(this.#file);
      while (this.#position + this.#head.length < size) {
        const head = this.#head.toString('latin1', 0, readSync(this.#file, this.#head, 0, 100, this.#position));
        const found = /^\n*\{"id":"([^"-]+)-\d+","bytes":(\d+),"body":"/.exec(head);
        const writer = found?.[1];
        if (found === null || writer === undefined) {
          // Within what a killed writer left.
          this.#position += Math.max(1, head.indexOf('\n', 1) === -1 ? head.length : head.indexOf('\n', 1));
          continue;
        }
        const end = this.#position + found[0].length + Number(found[2]) + '"}\n'.length;
        if (end <= size) this.#position = end;
        else if (!alive.has(writer)) this.#position += head.length;
        else if (size - this.#position >= leastWritten && end - size >= leastLeft) return writer;
        else break;
      }
    }
    return undefined;
  }

  close(): void {
    closeSync(this.#file);
  }
}
