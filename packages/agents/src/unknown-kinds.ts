/** Lines of kinds that nobody here knows: newer versions of a program bring them. Counted and passed on, never a fault. */
import type { AgentEvent } from './event.ts';
import { given, jsonOf } from './fields.ts';

const mostKinds = 100;
const longestValue = 16_384;

export class UnknownKinds {
  readonly #counts = new Map<string, number>();

  /** The event that stands for a line. Kinds beyond a hundred are counted together as `…`. */
  meet(kind: string, value: unknown): AgentEvent {
    const name = this.#counts.has(kind) || this.#counts.size < mostKinds ? kind.slice(0, 100) : '…';
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
    const isSmall = JSON.stringify(value).length <= longestValue;
    return { type: 'unknown', kind: name, ...given({ value: isSmall ? jsonOf(value) : undefined }) };
  }

  /** Fits an outcome: nothing where nothing was met. */
  counted(): { readonly unknownKinds?: Readonly<Record<string, number>> } {
    return this.#counts.size === 0 ? {} : { unknownKinds: Object.fromEntries(this.#counts) };
  }
}
