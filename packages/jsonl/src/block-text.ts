/**
 * The lines of a block as text. The whole block is read as Latin-1 at once, and ASCII lines are cut out of that, which
 * costs less than decoding each. A line with a few characters beyond ASCII is put together: those are decoded as the UTF-8
 * that they are, and what lies between them is cut out too. What V8 does with such a line takes four times as long.
 */
import type { BlockScanner } from './block-scanner.ts';
import type { LineBlock } from './split-lines.ts';

/** With more in one line, putting it together costs what decoding it does. */
const mostRuns = 4;

export class BlockText {
  readonly #latin1: string;
  readonly #block: LineBlock;
  readonly #scanner: BlockScanner;
  readonly #load: number;
  /** Whether a line had so many characters beyond ASCII that no other one is tried. */
  #isDense = false;

  constructor(block: LineBlock, scanner: BlockScanner) {
    this.#latin1 = block.bytes.toString('latin1', block.start, block.end);
    this.#block = block;
    this.#scanner = scanner;
    this.#load = scanner.loads;
  }

  /** What decoding the line would give. Undefined: it is better decoded. */
  cut(start: number, end: number, isAscii: boolean): string | undefined {
    const { bytes, start: base } = this.#block;
    if (isAscii) return this.#latin1.slice(start - base, end - base);
    // A callback between two lines may have used the scanner for something else.
    if (this.#isDense || this.#scanner.loads !== this.#load) return undefined;
    let text = '';
    let from = start;
    for (let runs = 0; ; runs++) {
      const found = this.#scanner.findBeyondAscii(from - base, end - base);
      if (found === -1) return text + this.#latin1.slice(from - base, end - base);
      if (runs === mostRuns) {
        this.#isDense = true;
        return undefined;
      }
      const runStart = base + found;
      let runEnd = runStart + 1;
      while (runEnd < end && (bytes[runEnd] ?? 0) >= 0x80) runEnd++;
      text += this.#latin1.slice(from - base, runStart - base) + bytes.toString('utf8', runStart, runEnd);
      from = runEnd;
    }
  }
}
