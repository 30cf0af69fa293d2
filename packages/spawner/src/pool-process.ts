/** One process of a pool, and the task it holds. It and its descendants end together. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { ProcessFamily } from './descendants.ts';
import { checkDescriptors } from './descriptors.ts';
import { childEnvironment, lineageMatch, type ProcessMarker } from './environment.ts';
import { explainStartFailure } from './find-program.ts';
import type { AcceptedTask, PoolWorker, WorkerEvents, WorkerExit } from './pool-worker.ts';
import { lifelineDescriptor, type ToProcess } from './process-protocol.ts';
import { identifyStarted } from './process-table.ts';
import { messageOf, thrownError } from './task-error.ts';
import { type FromWorker, FunctionIds, reply } from './task-protocol.ts';
import { endFamily } from './terminate.ts';

export interface PoolProcessOptions {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly inheritEnv: readonly string[];
  readonly marker: ProcessMarker | undefined;
  readonly nodeArgs: readonly string[];
  readonly output: 'inherit' | 'discard';
  readonly recycleAboveBytes: number;
}

const entry = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? '../dist/process-entry.js' : './process-entry.js', import.meta.url),
);

export class PoolProcess implements PoolWorker {
  state: PoolWorker['state'] = 'starting';
  cameUp = false;
  window = 1;
  readonly capacity = 1;
  finished = 0;
  readonly held = new Set<AcceptedTask>();
  readonly exited: Promise<void>;
  readonly #events: WorkerEvents;
  readonly #child: ChildProcess;
  /** Undefined when it did not start. */
  readonly #family: ProcessFamily | undefined;
  readonly #functions = new FunctionIds((message) => this.#post(message));
  #generation = 0;
  #begunAtMs = 0;
  #failure: unknown;

  /** @throws what the system says when it refuses at once. */
  constructor(options: PoolProcessOptions, events: WorkerEvents) {
    this.#events = events;
    const { cwd, inheritEnv, marker, output } = options;
    const lineageId = randomUUID();
    const env = childEnvironment(process.env, inheritEnv, options.env, marker, lineageId);
    const printed = output === 'inherit' ? 'inherit' : 'ignore';
    checkDescriptors(2);
    this.#child = spawn(process.execPath, [...options.nodeArgs, entry, String(options.recycleAboveBytes)], {
      ...{ cwd, env, detached: true, windowsHide: true, serialization: 'advanced' },
      stdio: ['ignore', printed, printed, 'ipc', 'pipe'],
    });
    const { pid } = this.#child;
    this.#family = pid === undefined ? undefined : familyOf(pid, lineageId);
    // Nothing is ever said on it. There is none where the start failed for want of descriptors.
    const lifeline = this.#child.stdio?.[lifelineDescriptor];
    if (lifeline instanceof Socket) lifeline.on('error', () => undefined).unref();
    const gone = this.#untilGone(cwd, env.PATH ?? '');
    this.exited = gone.then((exit) => {
      this.state = 'gone';
      events.onExit(this, exit);
    });
  }

  send([task]: readonly AcceptedTask[]): readonly { readonly task: AcceptedTask; readonly error: unknown }[] {
    if (task === undefined) return [];
    this.#generation += 1;
    this.held.add(task);
    task.worker = this;
    task.slot = 0;
    task.state = 'sent';
    this.#begunAtMs = performance.now();
    this.#hold();
    try {
      const id = this.#functions.of(task);
      this.#post({ type: 'task', slot: 0, generation: this.#generation, id, argument: task.argument });
      return [];
    } catch (error) {
      this.release(task);
      return [{ task, error }];
    }
  }

  release(task: AcceptedTask): void {
    this.held.delete(task);
    task.worker = undefined;
    this.#letGo();
  }

  /** What has been sent has begun. */
  revoke(): boolean {
    return false;
  }

  begunAtMs(): number {
    return this.#begunAtMs;
  }

  abort(): void {
    this.#post({ type: 'abort', slot: 0, generation: this.#generation });
  }

  terminate(failure?: unknown): void {
    this.#failure ??= failure;
    if (this.state === 'ending' || this.state === 'gone') return;
    this.state = 'ending';
    // The exit brings the rest.
    this.#endAll().catch((error: unknown) => {
      this.#failure ??= error;
      this.#child.kill('SIGKILL');
    });
  }

  async #endAll(): Promise<void> {
    if (this.#family !== undefined) await endFamily(this.#family, { killAtMs: performance.now() });
  }

  /** With its descendants. What it said before its end has been heard by then. */
  async #untilGone(cwd: string, path: string): Promise<WorkerExit> {
    const child = this.#child;
    child.on('message', (message: FromWorker) => this.#receive(message));
    const cut = new Promise<void>((resolve) => child.once('disconnect', resolve));
    // A task that closes the channel leaves a process that nobody can speak to.
    void cut.then(() => child.kill('SIGKILL'));
    const ended = await new Promise<WorkerExit>((resolve) => {
      child.on('error', (cause) => {
        // Before it runs there is no exit to come; afterwards the trouble is a message's, and its writer is told.
        if (child.pid !== undefined) return;
        const reason = `it could not be started: ${explainStartFailure(process.execPath, cwd, path, cause).message}`;
        resolve({ reason, cause });
      });
      child.once('exit', (code, signalName) =>
        resolve({ reason: this.#describeExit(code, signalName), cause: this.#failure }),
      );
    });
    if (child.pid === undefined) return ended;
    await cut;
    try {
      await this.#endAll();
    } catch (cause) {
      return { reason: `${ended.reason}; what it had started could not be looked for: ${messageOf(cause)}`, cause };
    }
    return ended;
  }

  #receive(message: FromWorker): void {
    if (message === 'ready') {
      this.cameUp = true;
      if (this.state === 'starting') this.state = 'ready';
      // The task that it was started for may be with another by now.
      this.#letGo();
      this.#events.onReady(this);
      return;
    }
    const [, generation, kind, value] = message;
    if (kind === reply.crashing) this.#failure ??= thrownError(value);
    else if (generation === this.#generation) {
      for (const task of this.held) this.#events.onReply(this, task, kind, value);
    }
  }

  #describeExit(exitCode: number | null, signalName: NodeJS.Signals | null): string {
    if (this.#failure !== undefined) return `an error reached the top of the process: ${messageOf(this.#failure)}`;
    if (signalName === 'SIGABRT') {
      return 'the process ended itself with SIGABRT, as Node.js does when it runs out of memory; raise --max-old-space-size in nodeArgs or give the task less';
    }
    if (signalName !== null) return `the process was ended by ${signalName}`;
    return `the process ended with exit code ${exitCode}; a task must return or throw, not call process.exit`;
  }

  #post(message: ToProcess): void {
    this.#child.send(message);
  }

  #hold(): void {
    this.#child.ref();
    this.#child.channel?.ref();
  }

  #letGo(): void {
    this.#child.unref();
    this.#child.channel?.unref();
  }
}

function familyOf(pid: number, lineageId: string): ProcessFamily {
  const started = identifyStarted(pid);
  return new ProcessFamily({
    roots: [{ pid, startTime: started.startTime }],
    sessions: [pid],
    environment: lineageMatch(lineageId),
    bornAfterTicks: started.startTicks,
  });
}
