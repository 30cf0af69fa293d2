/** The built `cadre` as a real process in a folder of its own, with a home of its own. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, watch } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

const main = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const programs = fileURLToPath(new URL('./programs', import.meta.url));

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Started {
  readonly child: ChildProcessByStdio<null, Readable, Readable>;
  readonly finished: Promise<Finished>;
  /** Resolves once the text stands in what was printed, on either stream. */
  printed(text: string): Promise<void>;
}

export class Project {
  readonly folder: string;
  readonly #started = new Set<ChildProcessByStdio<null, Readable, Readable>>();

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** Removed, with what still runs in it, when the test is over. */
  static async make(files: Readonly<Record<string, string>> = {}): Promise<Project> {
    const project = new Project(await mkdtemp(join(tmpdir(), 'cadre-app-')));
    onTestFinished(() => project.remove());
    await cp(programs, project.path('programs'), { recursive: true });
    for (const [name, content] of Object.entries(files)) await project.write(name, content);
    return project;
  }

  path(...names: readonly string[]): string {
    return join(this.folder, ...names);
  }

  async write(name: string, content: string): Promise<void> {
    await mkdir(join(this.path(name), '..'), { recursive: true });
    await writeFile(this.path(name), content);
  }

  read(name: string): Promise<string> {
    return readFile(this.path(name), 'utf8');
  }

  start(args: readonly string[], environment: Readonly<Record<string, string>> = {}): Started {
    const child = spawn(process.execPath, [main, ...args], {
      cwd: this.folder,
      env: {
        PATH: process.env.PATH ?? '',
        HOME: this.path('home'),
        XDG_STATE_HOME: this.path('home', 'state'),
        XDG_CONFIG_HOME: this.path('home', 'config'),
        ...environment,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#started.add(child);
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text) => {
      stdout += text;
      child.emit('text');
    });
    child.stderr.setEncoding('utf8').on('data', (text) => {
      stderr += text;
      child.emit('text');
    });
    const finished = once(child, 'close').then(([code]) => ({ code, stdout, stderr }));
    return {
      child,
      finished,
      async printed(text) {
        while (!stdout.includes(text) && !stderr.includes(text)) {
          const ended = await Promise.race([once(child, 'text').then(() => undefined), finished]);
          if (ended !== undefined && !`${stdout}${stderr}`.includes(text)) {
            throw new Error(`cadre ended with ${ended.code} and never printed ${text}:\n${stdout}\n${stderr}`);
          }
        }
      },
    };
  }

  run(args: readonly string[], environment?: Readonly<Record<string, string>>): Promise<Finished> {
    return this.start(args, environment).finished;
  }

  /** Resolves once the file is there. */
  appeared(name: string): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (!existsSync(this.path(name))) return;
        watcher.close();
        resolve();
      };
      // Watched before it is looked for, so that it can't come in between.
      const watcher = watch(this.folder, look);
      look();
    });
  }

  /** The journal's events of the only run there is. */
  async journal(runId: string): Promise<readonly { readonly type: string; readonly [key: string]: unknown }[]> {
    const text = await this.read(join('.cadre', 'runs', runId, 'journal.jsonl'));
    return text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)]));
  }

  async remove(): Promise<void> {
    for (const child of this.#started) if (child.exitCode === null) child.kill('SIGKILL');
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** The id in `run <id>` of what was printed. */
export function runIdIn(text: string): string {
  return /\d{8}-\d{6}-[0-9a-f]{4}/.exec(text)?.[0] ?? '';
}
