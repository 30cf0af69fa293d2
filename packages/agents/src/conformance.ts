/**
 * Whether a program speaks the line protocol of `docs/line-protocol.md`: it is run for real with a small task, and what it
 * prints and how it ends is held against every rule there. For authors of agents.
 */
import { type InvalidLine, JsonlDecoder } from '@cadre/jsonl';
import { spawnProcess } from '@cadre/spawner';
import type { AgentEvent } from './event.ts';
import { type Fields, isFields, textOf } from './fields.ts';
import { ownEventOf } from './own-event.ts';
import { listPrices } from './price.ts';

export interface ConformanceProblem {
  /** `wrong`: an attempt would fail or lose something. `careless`: it would go on with a warning. */
  readonly severity: 'wrong' | 'careless';
  /** Line of stdout, from 1; missing for what is about the whole. */
  readonly line?: number;
  readonly message: string;
}

export interface ConformanceReport {
  readonly conforms: boolean;
  readonly problems: readonly ConformanceProblem[];
  /** How many lines of each type came. */
  readonly counts: Readonly<Record<string, number>>;
  /** The verdict that its terminal line gives; undefined without one. */
  readonly verdict: 'result' | 'error' | undefined;
  readonly exitCode: number | null;
  readonly durationMs: number;
}

export interface ConformanceOptions {
  readonly cwd: string;
  /** @default 'Say hello.' */
  readonly prompt?: string;
  /** @default 30,000 */
  readonly timeoutMs?: number;
  /** @default the spawner's defaults of process.env */
  readonly environment?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/**
 * Runs the command once and reports all that is not as the protocol says.
 * @throws {SpawnError} when it can't be started
 */
export async function checkLineProtocol(
  command: readonly string[],
  options: ConformanceOptions,
): Promise<ConformanceReport> {
  const { cwd, prompt = 'Say hello.', timeoutMs = 30_000, environment = {}, signal } = options;
  const [program = '', ...args] = command;
  if (program === '') throw new TypeError('Expected `command` to begin with the name of a program, got nothing.');
  const lines = new LineCheck();
  const running = await spawnProcess({
    ...{ command: program, args, cwd, env: environment, timeoutMs },
    stdin: Buffer.from(`${JSON.stringify({ type: 'task', prompt, input: null })}\n`),
    onStdout: (chunk) => lines.push(chunk),
    ...(signal === undefined ? {} : { signal }),
  });
  const result = await running.result;
  lines.end();
  const { exitCode, signalName, endedBy, durationMs } = result;
  if (endedBy === 'timeout') {
    lines.wrong(`it had not ended after ${timeoutMs} ms; end soon after the terminal line, and read stdin to its end`);
  } else if (exitCode === null) lines.wrong(`it was ended by ${signalName ?? 'a signal'}`);
  else if (exitCode !== 0 && lines.verdict === 'result') {
    lines.careless(`it gave a result and exited with code ${exitCode}; exit with 0`);
  }
  if (lines.verdict === undefined && endedBy !== 'timeout') {
    lines.wrong('no `result` or `error` line came; an attempt without one has failed, whatever the exit code');
  }
  if (result.leftBehind.length > 0) {
    lines.careless(`it left ${result.leftBehind.length} process(es) behind, which were ended`);
  }
  const { problems, counts, verdict } = lines;
  const conforms = !problems.some(({ severity }) => severity === 'wrong');
  return { conforms, problems, counts, verdict, exitCode, durationMs };
}

const mostProblems = 100;

class LineCheck {
  readonly problems: ConformanceProblem[] = [];
  readonly counts: Record<string, number> = Object.create(null);
  verdict: 'result' | 'error' | undefined;
  readonly #decoder: JsonlDecoder;
  readonly #openTools = new Set<string>();
  #endsWithNewline = true;
  #line = 0;

  constructor() {
    this.#decoder = new JsonlDecoder({ unterminatedTail: 'accept', onInvalid: (line) => this.#invalid(line) });
  }

  push(chunk: Uint8Array): void {
    if (chunk.length > 0) this.#endsWithNewline = chunk.at(-1) === 0x0a;
    for (const value of this.#decoder.push(chunk)) this.#value(value);
  }

  end(): void {
    for (const value of this.#decoder.end()) this.#value(value);
    if (!this.#endsWithNewline) this.careless('the last line has no newline');
    for (const id of this.#openTools) this.careless(`tool ${JSON.stringify(id)} was started and never ended`);
  }

  wrong(message: string, line?: number): void {
    this.#add('wrong', message, line);
  }

  careless(message: string, line?: number): void {
    this.#add('careless', message, line);
  }

  #add(severity: ConformanceProblem['severity'], message: string, line: number | undefined): void {
    if (this.problems.length >= mostProblems) return;
    this.problems.push({ severity, message, ...(line === undefined ? {} : { line }) });
  }

  #invalid({ message, preview, lineNumber }: InvalidLine): void {
    this.#line += 1;
    if (preview.trimStart().startsWith('{')) this.wrong(message, lineNumber);
    else this.careless(`no JSON object: ${JSON.stringify(preview.slice(0, 60))}; log to stderr`, lineNumber);
  }

  #value(value: unknown): void {
    this.#line += 1;
    const fault = isFields(value) ? this.#faultOf(value) : `no JSON object: ${JSON.stringify(value)?.slice(0, 60)}`;
    if (fault !== undefined) this.careless(fault, this.#line);
  }

  #faultOf(value: Fields): string | undefined {
    const type = textOf(value.type) ?? 'without a type';
    this.counts[type] = (this.counts[type] ?? 0) + 1;
    if (this.verdict !== undefined) return `a \`${type}\` line came after the terminal line`;
    if (type === 'result' || type === 'error') {
      this.verdict = type;
      if (type === 'error')
        return typeof value.message === 'string' ? undefined : '`message` of an `error` must be a string';
      return 'output' in value ? undefined : '`result` has no `output`';
    }
    const event = ownEventOf(value, listPrices);
    return typeof event === 'string' ? `it would be ignored: ${event}` : this.#unmatched(event);
  }

  #unmatched(event: AgentEvent): string | undefined {
    if (event.type === 'toolStarted') this.#openTools.add(event.id);
    const isStray = event.type === 'toolEnded' && !this.#openTools.delete(event.id);
    return isStray ? `tool ${JSON.stringify(event.id)} ended and was never started` : undefined;
  }
}
