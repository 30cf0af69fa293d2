/** The run as a tree that is redrawn in place. */
import { createLogUpdate } from 'log-update';
import type { Colors } from './colors.ts';
import type { RunModel } from './run-model.ts';
import type { RunView } from './run-view.ts';
import { runLines } from './tree.ts';

const redrawMs = 100;

export function liveView(stdout: NodeJS.WriteStream, colors: Colors, clock: { now(): number }): RunView {
  const update = createLogUpdate(stdout);
  let model: RunModel | undefined;
  let timer: NodeJS.Timeout | undefined;
  let note: string | undefined;
  const draw = (shownNote: string | undefined): void => {
    if (model === undefined) return;
    // A size of 0 is what a terminal says that doesn't know. One row is left for the cursor.
    const rows = (stdout.rows || 24) - 1;
    const columns = stdout.columns || 80;
    update(runLines(model, { rows, columns, now: clock.now(), colors, note: shownNote }).join('\n'));
  };
  return {
    begin(begun) {
      model = begun;
      draw(note);
      timer = setInterval(() => draw(note), redrawMs);
    },
    runEvent: () => undefined,
    agentEvent: () => undefined,
    say(text) {
      note = text;
      draw(note);
    },
    end() {
      if (timer === undefined) return;
      clearInterval(timer);
      timer = undefined;
      draw(undefined);
      update.done();
    },
  };
}
