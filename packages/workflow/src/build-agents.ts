/** The agents of a workflow: paths made absolute, programs and modules of the workflow's own folder looked for. */
import { readdirSync, type Stats, statSync } from 'node:fs';
import { basename, dirname, extname, isAbsolute, join, resolve } from 'node:path';
import type { AgentDefinition } from '@cadre/agents';
import type { Findings, Path } from './problems.ts';
import { suggest } from './suggest.ts';
import { type JsonRecord, numberOf, recordOf } from './untyped.ts';
import type { JsonValue, WorkflowAgent } from './workflow.ts';

interface AgentOptions {
  readonly directory: string;
  readonly checkFiles: boolean;
}

export function buildAgents(
  given: JsonRecord,
  options: AgentOptions,
  findings: Findings,
): Readonly<Record<string, WorkflowAgent>> {
  const agents: Record<string, WorkflowAgent> = Object.create(null);
  for (const [name, raw] of Object.entries(given)) {
    const { concurrency, description: _, ...rest } = recordOf(raw);
    const path = ['agents', name];
    refuseExpressions(rest, path, findings);
    const files = new AgentFiles(options, findings);
    const definition: unknown = {
      ...rest,
      ...('command' in rest ? { command: files.command(rest.command, [...path, 'command']) } : {}),
      ...('program' in rest ? { program: files.command(rest.program, [...path, 'program']) } : {}),
      ...('module' in rest ? { module: files.module(rest.module, [...path, 'module']) } : {}),
    };
    // The schema of its adapter has been checked; where it did not fit, the workflow is not handed out.
    agents[name] = {
      name,
      definition: definition as AgentDefinition,
      concurrency: numberOf(concurrency) ?? Infinity,
    };
  }
  return agents;
}

/** Extensions by which an argument of a command is known to be a script that must exist, and not a file to be written. */
const scripts = new Set([
  '.js',
  '.mjs',
  '.cjs',
  '.ts',
  '.mts',
  '.cts',
  '.py',
  '.rb',
  '.pl',
  '.php',
  '.lua',
  '.sh',
  '.bash',
]);

class AgentFiles {
  readonly #directory: string;
  readonly #checked: boolean;
  readonly #findings: Findings;

  constructor({ directory, checkFiles }: AgentOptions, findings: Findings) {
    this.#directory = directory;
    this.#checked = checkFiles;
    this.#findings = findings;
  }

  /** A program, or a list of the program and its arguments. */
  command(value: JsonValue | undefined, path: Path): JsonValue {
    if (typeof value === 'string') return this.#word(value, path, true);
    if (!Array.isArray(value)) return value ?? null;
    return value.map((word: JsonValue, index) =>
      typeof word === 'string' ? this.#word(word, [...path, index], index === 0) : word,
    );
  }

  module(value: JsonValue | undefined, path: Path): JsonValue {
    if (typeof value !== 'string' || value === '') return value ?? null;
    if (value.startsWith('file:')) return value;
    if (!isRelative(value) && !isAbsolute(value)) {
      const message = `"${value}" is no path; a module begins with ./, ../ or /`;
      this.#findings.add({ path, message, suggestion: `./${value}` });
      return value;
    }
    return this.#existing(resolve(this.#directory, value), path);
  }

  #word(word: string, path: Path, program: boolean): string {
    if (!isRelative(word)) return word;
    const absolute = resolve(this.#directory, word);
    return program || scripts.has(extname(word)) ? this.#existing(absolute, path) : absolute;
  }

  #existing(absolute: string, path: Path): string {
    if (!this.#checked) return absolute;
    const stats = statOf(absolute);
    if (stats === undefined) {
      const near = nearName(absolute);
      this.#findings.add({ path, message: `${absolute} does not exist`, suggestion: near });
    } else if (!stats.isFile()) {
      this.#findings.add({ path, message: `${absolute} is ${stats.isDirectory() ? 'a folder' : 'no file'}` });
    }
    return absolute;
  }
}

function isRelative(word: string): boolean {
  return word.startsWith('./') || word.startsWith('../');
}

function statOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    // Below a file, in a folder we may not enter, or with a NUL in its name: for the agent it does not exist either.
    return undefined;
  }
}

/** A file of a similar name beside a missing one, from the same folder. */
export function nearName(absolute: string): string | undefined {
  let names: string[];
  try {
    names = readdirSync(dirname(absolute));
  } catch {
    // The folder is missing as well: there is nothing to suggest.
    return undefined;
  }
  const near = suggest(basename(absolute), names);
  return near === undefined ? undefined : join(dirname(absolute), near);
}

/** What an agent is must not depend on what another one said. */
function refuseExpressions(value: JsonValue, path: Path, findings: Findings): void {
  if (typeof value === 'string') {
    const offset = value.indexOf('${{');
    const message = "expressions are not evaluated in agents; pass values in a task's prompt or with";
    if (offset !== -1) findings.add({ path, offset, message });
  } else if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) refuseExpressions(item, [...path, index], findings);
  } else {
    for (const [key, item] of Object.entries(recordOf(value))) refuseExpressions(item, [...path, key], findings);
  }
}
