/**
 * A started child until the moment when nothing of it is left: feeds it, listens to it, ends it when asked or due, and
 * after its exit finds what it left behind. The exit alone is not the end: a grandchild may hold the streams or work on.
 */
import type { Readable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ChildExit, ChildHandle } from './child-handle.ts';
import type { Container, ContainmentLevel } from './container.ts';
import { type Deadline, startDeadline } from './deadline.ts';
import { ProcessFamily } from './descendants.ts';
import { lineageMatch } from './environment.ts';
import { SpawnError } from './errors.ts';
import { familyMemoryBytes } from './family-memory.ts';
import { OutputTail } from './output.ts';
import type { ProcessIdentity, StartedProcess } from './process-table.ts';
import type { EndedBy, ProcessResult } from './result.ts';
import { peakMemoryBytes } from './sample.ts';
import { checkGrace, type EndReport, type EndSchedule, endFamily } from './terminate.ts';

export interface EndOptions {
  /** Between TERM and KILL; a later call can only bring the KILL forward. @default the process's `graceMs` */
  readonly graceMs?: number;
  /** Told again in `ProcessResult.endReason`. */
  readonly reason?: string;
}

export interface RunningProcess {
  readonly identity: ProcessIdentity;
  /** What ending it reaches. */
  readonly containment: ContainmentLevel;
  /**
   * Resolves once the process is gone, whatever ended it, and what it left behind is ended too.
   * @throws {SpawnError} SPAWN_CALLBACK_FAILED when `onStdout` or `onStderr` threw.
   */
  readonly result: Promise<ProcessResult>;
  /** Ends the process and all its descendants. Calls share one ending. */
  end(options?: EndOptions): Promise<EndReport>;
}

/** A child that has been started, and what ending it reaches. */
export interface SupervisionSubject {
  readonly handle: ChildHandle;
  readonly started: StartedProcess;
  readonly lineageId: string;
  readonly level: ContainmentLevel;
  readonly container?: Container | undefined;
}

export interface SupervisionSettings {
  readonly command: string;
  readonly input: string | Uint8Array | undefined;
  readonly maxOutputBytes: number;
  readonly onStdout?: (chunk: Uint8Array) => void;
  readonly onStderr?: (chunk: Uint8Array) => void;
  readonly timeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly memoryLimitBytes: number;
  readonly outputLimitBytes: number;
  readonly graceMs: number;
  readonly drainMs: number;
  readonly memorySampleMs: number;
  /** How long it had run when we came to it. */
  readonly agedMs?: number;
  /** How much it had written by then, of what we were told to leave out. */
  readonly earlierOutputBytes?: number;
  readonly signal?: AbortSignal;
}

interface LeftBehind {
  readonly alive: readonly ProcessIdentity[];
  readonly occupied: boolean;
}

/** Why it was us who ended it. */
type OwnEnding = Exclude<EndedBy, 'exit' | 'signal'>;

const firstMemorySampleMs = 50;
/** More than the pipes of a dead child can hold; what comes after it is somebody else's flood. */
const drainBytes = 1024 * 1024;
const nobodyLeft: LeftBehind = { alive: [], occupied: false };
const nothingEnded: EndReport = Object.freeze({ ended: [], survivors: [] });

export class SupervisedChild implements RunningProcess {
  readonly identity: ProcessIdentity;
  readonly containment: ContainmentLevel;
  readonly result: Promise<ProcessResult>;
  readonly #child: ChildHandle;
  readonly #container: Container | undefined;
  readonly #settings: SupervisionSettings;
  readonly #startedAtMs: number;
  readonly #family: ProcessFamily;
  readonly #stdout: OutputTail;
  readonly #stderr: OutputTail;
  readonly #deadlines: Deadline[] = [];
  readonly #endingBegun: Promise<void>;
  #noteEndingBegun: () => void = () => undefined;
  #exit: ChildExit | undefined;
  #endedBy: OwnEnding | undefined;
  #endReason: string | undefined;
  #schedule: EndSchedule = { killAtMs: Infinity };
  #ending: Promise<EndReport> | undefined;
  /** Off once it has exited, or has been given up: then no deadline may be set. */
  #watch: 'on' | 'off' = 'on';
  #failure: { readonly error: unknown } | undefined;
  #peakRssBytes: number | undefined;
  #peakTreeBytes: number | undefined;

  constructor(subject: SupervisionSubject, settings: SupervisionSettings) {
    const { started } = subject;
    this.#child = subject.handle;
    this.#container = subject.container;
    this.containment = subject.level;
    this.#settings = settings;
    this.#startedAtMs = performance.now() - (settings.agedMs ?? 0);
    this.identity = { pid: started.pid, startTime: started.startTime };
    this.#family = familyOf(this.identity, subject);
    this.#stdout = new OutputTail(settings.maxOutputBytes);
    this.#stderr = new OutputTail(settings.maxOutputBytes);
    this.#endingBegun = new Promise((resolve) => {
      this.#noteEndingBegun = resolve;
    });
    this.result = this.#supervise();
    // Whoever only calls `end()` must not meet an unhandled rejection; whoever awaits `result` still gets it.
    this.result.catch(() => undefined);
  }

  end(options: EndOptions = {}): Promise<EndReport> {
    const { graceMs = this.#settings.graceMs, reason } = options;
    checkGrace(graceMs);
    if (this.#exit === undefined) this.#endReason ??= reason;
    return this.#begin('ended', graceMs);
  }

  async #supervise(): Promise<ProcessResult> {
    const child = this.#child;
    const { signal } = this.#settings;
    const onAbort = (): void => void this.#begin('aborted');
    const { closed } = child;
    const exited = child.exited.then((exit) => {
      this.#exit = exit;
    });
    try {
      this.#listen(exited);
      signal?.addEventListener('abort', onAbort, { once: true });
      // It may have come while the program was being started.
      if (signal?.aborted) onAbort();
      await Promise.race([exited, this.#endingBegun.then(() => this.#endedWithout(exited))]);
      let left = this.#ending === undefined ? await this.#lookForLeftBehind() : nobodyLeft;
      await this.#drain(closed);
      if (left.alive.length > 0 || left.occupied) left = await this.#lookForLeftBehind();
      if (left.alive.length > 0 || left.occupied) void this.#begin(undefined);
      const report = (await this.#ending) ?? nothingEnded;
      if (this.#ending !== undefined) await this.#drain(closed);
      if (this.#failure !== undefined) throw this.#failure.error;
      return this.#result(left.alive, report);
    } finally {
      this.#stopWatching();
      signal?.removeEventListener('abort', onAbort);
      child.stdout?.destroy();
      child.stderr?.destroy();
      child.stdin?.destroy();
      this.#container?.release();
    }
  }

  #listen(exited: Promise<void>): void {
    const { timeoutMs, idleTimeoutMs, onStdout, onStderr, input, memorySampleMs } = this.#settings;
    const { stdin, stdout, stderr } = this.#child;
    const idle = startDeadline(idleTimeoutMs, () => this.#begin('idle'));
    this.#deadlines.push(
      startDeadline(timeoutMs, () => this.#begin('timeout')),
      idle,
    );
    this.#read(stdout, this.#stdout, onStdout, 'onStdout', idle);
    this.#read(stderr, this.#stderr, onStderr, 'onStderr', idle);
    this.#checkOutput();
    // A program may end, or close its input, without having read all of it: that is its right, and no failure.
    stdin?.on('error', () => undefined);
    if (input !== undefined) stdin?.end(input);
    this.#sampleMemory(Math.min(firstMemorySampleMs, memorySampleMs));
    void exited.then(() => this.#stopWatching());
  }

  #stopWatching(): void {
    this.#watch = 'off';
    for (const deadline of this.#deadlines) deadline.clear();
  }

  #read(
    stream: Readable | null,
    tail: OutputTail,
    callback: ((chunk: Uint8Array) => void) | undefined,
    name: string,
    idle: Deadline,
  ): void {
    stream?.on('data', (chunk: Buffer) => {
      if (this.#exit === undefined) idle.restart();
      tail.push(chunk);
      this.#checkOutput();
      if (this.#failure !== undefined) return;
      try {
        callback?.(chunk);
      } catch (cause) {
        const message = `${name} for ${this.#settings.command} (pid ${this.identity.pid}) threw: ${String(cause)}. The process was ended.`;
        this.#fail(new SpawnError('SPAWN_CALLBACK_FAILED', message, { cause }));
      }
    });
    // A read error means no more output; the exit and what it says still come.
    stream?.on('error', () => undefined);
  }

  #sampleMemory(afterMs: number): void {
    const deadline = startDeadline(afterMs, () => {
      this.#deadlines.splice(this.#deadlines.indexOf(deadline), 1);
      this.#peakRssBytes = peakMemoryBytes(this.identity.pid) ?? this.#peakRssBytes;
      const again = (): void => {
        if (this.#watch === 'on') this.#sampleMemory(Math.min(afterMs * 2, this.#settings.memorySampleMs));
      };
      if (this.#settings.memoryLimitBytes === Infinity) again();
      else this.#checkMemory(this.#settings.memoryLimitBytes).then(again, (error: unknown) => this.#fail(error));
    });
    this.#deadlines.push(deadline);
  }

  #checkOutput(): void {
    const { earlierOutputBytes = 0, outputLimitBytes } = this.#settings;
    if (earlierOutputBytes + this.#bytes() > outputLimitBytes) void this.#begin('output');
  }

  async #checkMemory(limitBytes: number): Promise<void> {
    const { alive } = await this.#family.look();
    const bytes = await familyMemoryBytes(alive, limitBytes);
    this.#peakTreeBytes = Math.max(this.#peakTreeBytes ?? 0, bytes);
    if (bytes > limitBytes) void this.#begin('memory');
  }

  /** Ends the process; `result` then rejects with the first error. */
  #fail(error: unknown): void {
    this.#failure ??= { error };
    void this.#begin('ended');
  }

  /** The first cause counts, and none does once the process has ended by itself. */
  #begin(cause: OwnEnding | undefined, graceMs = this.#settings.graceMs): Promise<EndReport> {
    if (this.#exit === undefined) this.#endedBy ??= cause;
    this.#schedule.killAtMs = Math.min(this.#schedule.killAtMs, performance.now() + graceMs);
    if (this.#ending === undefined) {
      this.#ending = endFamily(this.#family, this.#schedule);
      // A deadline that begins the ending awaits nothing; a failure reaches the caller through `result`.
      this.#ending.catch(() => undefined);
      this.#noteEndingBegun();
    }
    return this.#ending;
  }

  /** A root that survives KILL (another user's, stuck in the kernel) must not keep the caller waiting for its exit. */
  async #endedWithout(exited: Promise<void>): Promise<void> {
    const { survivors } = (await this.#ending) ?? nothingEnded;
    if (!survivors.some(({ pid }) => pid === this.identity.pid)) await exited;
  }

  async #lookForLeftBehind(): Promise<LeftBehind> {
    let { alive, undecided, occupied } = await this.#family.look();
    for (let looks = 0; alive.length === 0 && undecided > 0 && looks < 3; looks += 1) {
      ({ alive, undecided, occupied } = await this.#family.look());
    }
    return { alive: alive.map(({ pid, startTime }) => ({ pid, startTime })), occupied };
  }

  /**
   * Waits for the streams to end; when somebody still holds them, for `drainMs` and then until a turn of the event loop
   * brings nothing: a busy loop may be late for the timer while the child's last words still lie in the pipe.
   */
  async #drain(closed: Promise<void>): Promise<void> {
    let state: 'open' | 'closed' = 'open';
    const noted = closed.then(() => {
      state = 'closed';
    });
    const bytesBefore = this.#bytes();
    let deadline: Deadline | undefined;
    const reached = new Promise<void>((resolve) => {
      deadline = startDeadline(this.#settings.drainMs, resolve);
    });
    const cut = this.#ending === undefined ? this.#endingBegun : reached;
    await Promise.race([noted, reached, cut]);
    deadline?.clear();
    for (let seen = -1; state === 'open' && seen !== this.#bytes() && seen - bytesBefore < drainBytes; ) {
      seen = this.#bytes();
      await nextTurn();
      await nextTurn();
    }
  }

  #bytes(): number {
    return this.#stdout.totalBytes + this.#stderr.totalBytes;
  }

  #result(leftBehind: readonly ProcessIdentity[], report: EndReport): ProcessResult {
    const { code = null, signalName = null, atMs = performance.now() } = this.#exit ?? {};
    return {
      exitCode: code,
      signalName,
      endedBy: this.#endedBy ?? (code === null ? 'signal' : 'exit'),
      ...(this.#endReason !== undefined && { endReason: this.#endReason }),
      durationMs: atMs - this.#startedAtMs,
      stdout: this.#stdout.text(),
      stderr: this.#stderr.text(),
      stdoutBytes: this.#stdout.totalBytes,
      stderrBytes: this.#stderr.totalBytes,
      ...(this.#peakRssBytes !== undefined && { peakRssBytes: this.#peakRssBytes }),
      ...(this.#peakTreeBytes !== undefined && { peakTreeBytes: this.#peakTreeBytes }),
      leftBehind,
      survivors: report.survivors,
    };
  }
}

function familyOf(root: ProcessIdentity, { level, container, started, lineageId }: SupervisionSubject): ProcessFamily {
  if (level === 'group') return new ProcessFamily({ roots: [root], reach: 'group' });
  return new ProcessFamily({
    roots: [root],
    sessions: [started.pid],
    environment: lineageMatch(lineageId),
    bornAfterTicks: started.startTicks,
    window: started.window,
    container,
  });
}
