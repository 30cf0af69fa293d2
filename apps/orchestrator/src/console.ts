/** What every command is given: the host, and its options that all commands share, ready to use. */
import { commandName, quoted } from './command-name.ts';
import { projectFolder } from './folders.ts';
import type { Host } from './host.ts';
import { type Colors, colorsFor } from './view/colors.ts';

export interface SharedOptions {
  readonly project?: string;
  readonly json?: boolean;
  /** False: `--no-color`. */
  readonly color?: boolean;
}

export interface Console {
  readonly host: Host;
  readonly json: boolean;
  readonly colors: Colors;
  /** Of stdout; 120 where it is no terminal. */
  readonly columns: number;
  /** Folder that holds the project's `.cadre`. */
  readonly project: string | undefined;
  /** The project's `.cadre`. */
  readonly projectFolder: string;
  /** A line on stdout. */
  print(line: string): void;
  /** A line on stderr. */
  warn(line: string): void;
  /** What the user would type for this, with the project where one was given. */
  command(...words: readonly string[]): string;
}

export function openConsole(host: Host, { project, json = false, color = true }: SharedOptions): Console {
  const isTerminal = host.stdout.isTTY === true;
  return {
    host,
    json,
    colors: colorsFor({ environment: host.environment, isTerminal, wanted: color && !json }),
    columns: isTerminal ? host.stdout.columns || 80 : 120,
    project,
    projectFolder: projectFolder(host, project),
    print: (line) => void host.stdout.write(`${line}\n`),
    warn: (line) => void host.stderr.write(`${line}\n`),
    command: (...words) => {
      const where = project === undefined ? [] : ['--project', project];
      return [commandName(host), ...[...words, ...where].map(quoted)].join(' ');
    },
  };
}
