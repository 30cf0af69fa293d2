/** `cadre agent check`: whether a program speaks the line protocol of agents, for whoever writes one. */
import { checkLineProtocol } from '@cadre/agents';
import { openConsole, type SharedOptions } from '../console.ts';
import { CadreError } from '../errors.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Host } from '../host.ts';
import { formatCount, formatDuration } from '../view/format.ts';
import { plainLine } from '../view/plain-text.ts';

export interface AgentCheckOptions extends SharedOptions {
  readonly prompt?: string;
  /** Seconds. */
  readonly timeout?: number;
}

/** Runs the command once with a small task, and prints what is not as the protocol says. */
export async function agentCheck(host: Host, command: readonly string[], options: AgentCheckOptions): Promise<number> {
  const { print, colors, json } = openConsole(host, options);
  const stop = new AbortController();
  const stopListening = host.onInterruption(() => stop.abort());
  try {
    const report = await checkLineProtocol(command, {
      ...{ cwd: host.directory, signal: stop.signal },
      ...(options.prompt === undefined ? {} : { prompt: options.prompt }),
      ...(options.timeout === undefined ? {} : { timeoutMs: options.timeout * 1000 }),
    });
    if (json) print(JSON.stringify(report, null, 2));
    else {
      for (const { severity, line, message } of report.problems) {
        const sign = severity === 'wrong' ? colors.red('✖') : colors.yellow('!');
        print(`${sign} ${line === undefined ? '' : `line ${line}: `}${plainLine(message)}`);
      }
      const lines = Object.values(report.counts).reduce((sum, count) => sum + count, 0);
      const said = `${formatCount(lines, 'line')} in ${formatDuration(report.durationMs)}, exit code ${report.exitCode}`;
      print(
        `${report.conforms ? colors.green('✔ speaks') : colors.red('✖ does not speak')} the line protocol (${said})`,
      );
    }
    return report.conforms ? exitCodes.succeeded : exitCodes.tasksFailed;
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && String(error.code).startsWith('SPAWN_'))) throw error;
    throw new CadreError('CADRE_USAGE', error.message, { cause: error });
  } finally {
    stopListening();
  }
}
