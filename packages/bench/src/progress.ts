/** What a run shows while it goes on: one line that is rewritten on a terminal, a line per package elsewhere. */
import { renderPackage } from './report/terminal.ts';
import type { RunProgress } from './run.ts';

export interface Screen {
  readonly isTerminal: boolean;
  readonly columns: number;
  write(text: string): void;
}

export function showProgress(screen: Screen, clock: { now(): number }): (progress: RunProgress) => void {
  const startedAt = clock.now();
  const clear = screen.isTerminal ? '\r\u001b[2K' : '';
  return (progress) => {
    if (progress.type === 'packageStarted') {
      const { packageName, cases, rounds } = progress;
      if (!screen.isTerminal)
        screen.write(`measuring ${packageName}, ${rounds} rounds of ${cases === 1 ? '1 case' : `${cases} cases`}\n`);
    } else if (progress.type === 'processStarted') {
      if (!screen.isTerminal) return;
      const { done, total, round, label } = progress;
      const left = done === 0 ? '' : `, ${formatSeconds(((clock.now() - startedAt) / done) * (total - done))} left`;
      const step = round === 0 ? 'calibrating' : `round ${round}`;
      const line = `${Math.floor((done / total) * 100)} %${left} · ${step} · ${label}`;
      screen.write(`${clear}${line.slice(0, screen.columns - 1)}`);
    } else if (progress.type === 'caseFailed') {
      screen.write(`${clear}${progress.failure.case} failed (${progress.failure.code}), see below\n`);
    } else {
      screen.write(`${clear}${renderPackage(progress.record)}\n`);
    }
  };
}

function formatSeconds(milliseconds: number): string {
  const seconds = Math.ceil(milliseconds / 1000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
