/** How an attempt is run, whatever agent it is of. */
import type { ProcessIdentity, ThreadPool } from '@cadre/spawner';
import type { AgentEvent } from './event.ts';
import type { AnswerPermission } from './permission.ts';
import { createPriceBook, type ModelPrice } from './price.ts';
import { redactorOf } from './redact.ts';
import { secretsAmong } from './secrets.ts';

export interface RunAgentOptions {
  /** Ends the agent with everything it started; the outcome is `failed`, reason `cancelled`. */
  readonly signal?: AbortSignal;
  /** Where `module` agents run. @default a pool of one thread for this attempt */
  readonly threads?: ThreadPool;
  /** Called with each event in order. What it throws ends the agent and rejects the call. */
  readonly onEvent?: (event: AgentEvent) => void;
  /**
   * Awaited as soon as the program runs, so that its identity can be written down before anything else happens;
   * undefined for a `module` or a `model`, which have no process. When it rejects, the agent is ended and the call rejects.
   */
  readonly onStarted?: (identity: ProcessIdentity | undefined) => void | Promise<void>;
  /**
   * Asked whether the agent may use a tool, by programs that can ask (`claude`). Without it a program that would ask
   * refuses by itself. Nothing ever waits longer than `permissionTimeoutMs`.
   */
  readonly onPermission?: AnswerPermission;
  /** Then the answer is no. @default 300,000 */
  readonly permissionTimeoutMs?: number;
  /** Where inherited variables come from. @default process.env */
  readonly inheritFrom?: Readonly<Record<string, string | undefined>>;
  /**
   * A folder for the program's output and exit, which then goes on when this process ends, however that ends: `adoptAgent` takes it up
   * again. It must not be there, its parent must; the caller removes it once the outcome is noted. What is in it is as the program
   * printed it, secrets included, for its owner alone. Linux. A program that is spoken to while it runs (`onPermission`), a `module` and a
   * `model` end with this process all the same. @default the program ends as soon as it finds that nobody reads it
   */
  readonly detachedDirectory?: string;
  /** A variable that the program and all it starts carry, so that the spawner's `sweep` finds them after a crash. */
  readonly marker?: { readonly name: string; readonly value: string };
  /**
   * Texts that are taken out of whatever the agent prints, before it is recorded or understood, in six forms; beside them
   * the values of inherited variables whose names end in KEY, TOKEN, SECRET, PASSWORD or CREDENTIALS (12 characters or
   * more).
   */
  readonly secrets?: readonly string[];
  /** US dollars per million tokens by model, over public list prices. A definition's own `price` wins over them. */
  readonly prices?: Readonly<Record<string, ModelPrice>>;
  /** The longest line, text or result; more is reason `badOutput`. @default 64 MiB */
  readonly maxOutputBytes?: number;
  /** Kept of each stream in the attempt directory. @default 64 MiB */
  readonly maxRecordedBytes?: number;
  /** How long an agent may live on after its terminal line; then it is ended and the line counts. @default 10,000 */
  readonly lingerMs?: number;
  /** Between TERM and KILL when the agent is ended. @default 2000 */
  readonly graceMs?: number;
}

export type RunSettings = ReturnType<typeof resolveRunOptions>;

/** @param own the price that the definition itself has */
export function resolveRunOptions(
  options: RunAgentOptions,
  own: { readonly model?: string | undefined; readonly price?: ModelPrice | undefined } = {},
) {
  const {
    maxOutputBytes = 64 * 1024 * 1024,
    maxRecordedBytes = 64 * 1024 * 1024,
    permissionTimeoutMs = 300_000,
  } = options;
  const { lingerMs = 10_000, graceMs = 2000, signal, threads, marker, inheritFrom = process.env } = options;
  const { detachedDirectory } = options;
  for (const [name, value] of Object.entries({
    ...{ maxOutputBytes, maxRecordedBytes, lingerMs, graceMs, permissionTimeoutMs },
  })) {
    if (typeof value !== 'number' || !(value >= 0)) {
      throw new RangeError(`Expected \`${name}\` to be a number of at least 0, got \`${value}\`.`);
    }
  }
  if (!Number.isSafeInteger(maxOutputBytes) || maxOutputBytes < 1 || maxOutputBytes > longestText) {
    throw new RangeError(`Expected \`maxOutputBytes\` to be from 1 to ${longestText}, got \`${maxOutputBytes}\`.`);
  }
  const onEvent = options.onEvent ?? (() => undefined);
  const onStarted = options.onStarted ?? (() => undefined);
  const mine = own.price === undefined || own.model === undefined ? {} : { [own.model]: own.price };
  return Object.freeze({
    ...{ maxOutputBytes, maxRecordedBytes, lingerMs, graceMs, permissionTimeoutMs },
    ...{
      signal,
      threads,
      marker,
      inheritFrom,
      onEvent,
      onStarted,
      onPermission: options.onPermission,
      detachedDirectory,
    },
    prices: createPriceBook({ ...options.prices, ...mine }),
    openRedactor: redactorOf([...(options.secrets ?? []), ...secretsAmong(inheritFrom)]),
  });
}

/** What V8 can hold as one string. */
const longestText = 512 * 1024 * 1024;
