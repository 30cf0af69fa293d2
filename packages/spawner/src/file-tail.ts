/** A file that somebody else appends to, as a stream: what is there, then what comes, until it is told that no more will. */
import { closeSync, openSync, readSync } from 'node:fs';
import { Readable } from 'node:stream';

const chunkBytes = 64 * 1024;

export class FileTail extends Readable {
  readonly #descriptor: number;
  #offset: number;
  #state: 'following' | 'last' = 'following';
  #wanted: 'yes' | 'no' = 'no';

  constructor(path: string, fromByte: number) {
    super({ highWaterMark: chunkBytes });
    this.#descriptor = openSync(path, 'r');
    this.#offset = fromByte;
  }

  /** Something may have been appended. */
  look(): void {
    if (this.#wanted === 'yes' && !this.destroyed) this._read();
  }

  /** What is there now is all: the stream ends after it. */
  finish(): void {
    this.#state = 'last';
    this.look();
  }

  override _read(): void {
    this.#wanted = 'no';
    const chunk = Buffer.allocUnsafe(chunkBytes);
    const bytes = readSync(this.#descriptor, chunk, 0, chunkBytes, this.#offset);
    this.#offset += bytes;
    if (bytes > 0) this.push(chunk.subarray(0, bytes));
    else if (this.#state === 'last') this.push(null);
    else this.#wanted = 'yes';
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    closeSync(this.#descriptor);
    callback(error);
  }
}
