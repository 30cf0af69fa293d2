/**
 * Carries a run from its start to its end in this process: joins it to a view over the bus, turns signals into a clean
 * stop, and prints how it came out.
 */
import type { AgentEvent } from '@cadre/agents';
import type { JsonValue, Run, RunEvent, RunState } from '@cadre/workflow';
import type { Machinery } from './compose.ts';
import type { Console } from './console.ts';
import { exitCodes, interruptionExitCodes } from './exit-codes.ts';
import type { Interruption } from './host.ts';
import { nextSteps } from './next-steps.ts';
import { jsonView, plainView } from './view/line-views.ts';
import { resultLines } from './view/result.ts';
import { RunModel } from './view/run-model.ts';
import type { RunView } from './view/run-view.ts';
import { summaryLines } from './view/summary.ts';

export interface ConductOptions {
  readonly machinery: Machinery;
  /** Starts or takes up the run, and gives the event by which it did. */
  readonly start: () => Promise<{ readonly run: Run; readonly first: RunEvent }>;
  /** Lines although stdout is a terminal. */
  readonly plain: boolean;
}

/** @returns the exit code */
export async function conduct(console: Console, options: ConductOptions): Promise<number> {
  const { bus } = options.machinery;
  const view = await chooseView(console, options.plain);
  let model: RunModel | undefined;
  const early: (() => void)[] = [];
  /** Nothing is shown before the view has begun; what comes earlier waits for that. */
  const whenBegun = (show: () => void) => (model === undefined ? early.push(show) : show());

  // Before the run is there, so that nothing of it is missed; its id is not known yet, and this bus has no other run.
  const runEvents = bus.subscribe<RunEvent>('run.*.event', ({ data }) => {
    whenBegun(() => {
      model?.apply(data);
      view.runEvent(data);
    });
  });
  const agentEvents = bus.subscribe<AgentEvent>('run.*.task.*.event', ({ subject, data }) => {
    const task = subject.split('.')[3] ?? '';
    whenBegun(() => {
      model?.applyAgentEvent(task, data);
      view.agentEvent(task, data);
    });
  });
  const interruptions = new Interruptions(console, view);
  try {
    const { run, first } = await options.start();
    model = new RunModel(run, interruptions.join(run));
    model.takenUpAt = first.at;
    view.begin(model, first);
    for (const show of early.splice(0)) show();
    const state = await Promise.race([run.finished, interruptions.failed]);
    view.end();
    if (!console.json) await printOutcome(console, run, model);
    return exitCodeOf(state, interruptions.last);
  } finally {
    view.end();
    interruptions.close();
    await runEvents.close();
    await agentEvents.close();
  }
}

/** The tree on a terminal; lines for pipes, for CI, whose logs keep every redraw, and for terminals that can't go back. */
async function chooseView({ host, json, colors, print, warn }: Console, plain: boolean): Promise<RunView> {
  const { CI, TERM } = host.environment;
  if (json) return jsonView(print, warn);
  const isCi = CI !== undefined && CI !== '' && CI !== 'false';
  if (plain || isCi || TERM === 'dumb' || host.stdout.isTTY !== true) return plainView(print, warn);
  const { liveView } = await import('./view/live-view.ts');
  return liveView(host.stdout, colors, host);
}

async function printOutcome(console: Console, run: Run, model: RunModel): Promise<void> {
  const { print, columns, colors, host } = console;
  const output: JsonValue | undefined = await run.result();
  const shown = output === undefined ? [] : resultLines(output, { columns, colors, directory: host.directory });
  if (shown.length > 0) for (const line of ['', ...shown]) print(line);
  const next = nextSteps(console, model.id, model.state, output);
  const summary = summaryLines(model, { columns, colors, directory: host.directory, now: host.now(), next });
  for (const line of ['', ...summary]) print(line);
}

function exitCodeOf(state: RunState, interruption: Interruption | undefined): number {
  switch (state.status) {
    case 'succeeded':
      return exitCodes.succeeded;
    case 'cancelled':
      return exitCodes.terminated;
    case 'interrupted':
      return interruption === undefined ? exitCodes.interrupted : interruptionExitCodes[interruption];
    default:
      return exitCodes.tasksFailed;
  }
}

/** Longest wait for a run's end once its agents have been killed; its journal is whole at any moment. */
const killedWaitMs = 2000;
/** Signals that come so soon after the first are the same keystroke's. */
const echoMs = 250;

/** The first signal to stop ends the run cleanly, the second kills what is left. */
class Interruptions {
  /** Rejects when the run can't be stopped. */
  readonly failed: Promise<never>;
  last: Interruption | undefined;
  readonly #console: Console;
  readonly #view: RunView;
  readonly #stopListening: () => void;
  #reject: (reason: unknown) => void = () => undefined;
  #run: Run | undefined;
  #firstAt = 0;

  constructor(console: Console, view: RunView) {
    this.#console = console;
    this.#view = view;
    this.failed = new Promise((_, reject) => {
      this.#reject = reject;
    });
    // Awaited only once there is a run; until then nobody listens, and that is no fault.
    this.failed.catch(() => undefined);
    this.#stopListening = console.host.onInterruption((interruption) => this.#take(interruption));
  }

  /** From now on signals stop this run; one that came before does so at once. */
  join(run: Run): RunState {
    const { state } = run;
    this.#run = run;
    if (this.last !== undefined) this.#stop(run, this.last);
    return state;
  }

  close(): void {
    this.#stopListening();
  }

  #take(interruption: Interruption): void {
    const isFirst = this.last === undefined;
    // A launcher such as npm passes on the ctrl-C that the terminal has sent us too, and a terminal that is closed
    // makes our output fail as well: that is one wish, not two.
    const isEcho = interruption === 'SIGPIPE' || this.#console.host.now() - this.#firstAt < echoMs;
    if (!isFirst && isEcho) return;
    if (isFirst) this.#firstAt = this.#console.host.now();
    this.last ??= interruption;
    if (this.#run === undefined) {
      if (!isFirst) this.#console.host.exit(interruptionExitCodes[interruption]);
    } else if (isFirst) {
      this.#stop(this.#run, interruption);
    } else {
      this.#kill(this.#run, interruption);
    }
  }

  #stop(run: Run, interruption: Interruption): void {
    if (interruption !== 'SIGPIPE')
      this.#view.say('Stopping: agents are being ended. Ctrl-C again kills them at once.');
    run.stop(interruption === 'SIGTERM' ? 'cancelled' : 'interrupted').catch(this.#reject);
  }

  #kill(run: Run, interruption: Interruption): void {
    const { exit } = this.#console.host;
    const code = interruptionExitCodes[interruption];
    this.#view.say('Killing the agents.');
    const timer = setTimeout(() => exit(code), killedWaitMs);
    run
      .kill()
      .then(() => run.finished)
      .then(
        () => clearTimeout(timer),
        () => exit(code),
      );
  }
}
