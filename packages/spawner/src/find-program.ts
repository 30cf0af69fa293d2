/** Which file a program's name stands for, and, when it can't be started, why. */
import { accessSync, constants, readFileSync, type Stats, statSync } from 'node:fs';
import { delimiter, isAbsolute, join, resolve } from 'node:path';
import { SpawnError } from './errors.ts';

/**
 * The absolute path of an executable file, or undefined. A name with a slash is a path; any other is looked for in the
 * folders of `path`, in order.
 * @param path  Folders as in the variable PATH. @default process.env.PATH
 */
export async function findProgram(name: string, path: string = process.env.PATH ?? ''): Promise<string | undefined> {
  return candidates(name, path, process.cwd()).find(isExecutableFile);
}

/** The error to give when the system refused to start `command`: it says only "ENOENT" for four different troubles. */
export function explainStartFailure(command: string, cwd: string, path: string, cause: unknown): SpawnError {
  const systemCode = cause instanceof Error && 'code' in cause ? String(cause.code) : undefined;
  const directory = statOf(cwd);
  if (directory === undefined || !directory.isDirectory()) {
    const trouble = directory === undefined ? 'does not exist' : 'is not a directory';
    const message = `The working directory ${cwd} for ${command} ${trouble}; create it or correct cwd.`;
    return new SpawnError('SPAWN_DIRECTORY_NOT_FOUND', message, { cause });
  }
  if (!allows(cwd, constants.X_OK)) {
    const message = `The working directory ${cwd} for ${command} may not be entered; grant execute permission on it.`;
    return new SpawnError('SPAWN_PERMISSION_DENIED', message, { cause });
  }
  const files = candidates(command, path, cwd);
  const program = files.find(isExecutableFile);
  if (program !== undefined) return explainExisting(program, systemCode, cause);
  const present = files.find((file) => statOf(file) !== undefined);
  if (present !== undefined) return explainPresent(present, cause);
  return new SpawnError('SPAWN_PROGRAM_NOT_FOUND', notFoundMessage(command, cwd, path), { cause });
}

function explainExisting(program: string, systemCode: string | undefined, cause: unknown): SpawnError {
  const interpreter = systemCode === 'ENOENT' ? interpreterOf(program) : undefined;
  if (interpreter !== undefined && statOf(interpreter) === undefined) {
    const message = `${program} asks for the interpreter ${interpreter}, which does not exist; install it or correct the first line.`;
    return new SpawnError('SPAWN_PROGRAM_NOT_FOUND', message, { cause });
  }
  if (systemCode === 'EACCES' || systemCode === 'EPERM') {
    const message = `${program} may not be executed (${systemCode}); check the permissions of its folders and whether its file system is mounted noexec.`;
    return new SpawnError('SPAWN_PERMISSION_DENIED', message, { cause });
  }
  const advice: Readonly<Record<string, string>> = {
    E2BIG: 'the arguments and environment are too long together; pass long text through stdin',
    EAGAIN: 'the limit on processes is reached; start fewer at once or raise `ulimit -u`',
    EMFILE: 'this process has too many open files; start fewer at once or raise `ulimit -n`',
    ENFILE: 'the system has too many open files; start fewer at once',
    ENOMEM: 'the system is out of memory; start fewer at once',
    ENOEXEC: 'it is not a program for this system',
  };
  const reason = advice[systemCode ?? ''] ?? (cause instanceof Error ? cause.message : String(cause));
  return new SpawnError('SPAWN_FAILED', `${program} could not be started: ${reason}.`, { cause });
}

function explainPresent(file: string, cause: unknown): SpawnError {
  const message = statOf(file)?.isDirectory()
    ? `${file} is a directory, not a program; name the program inside it.`
    : `${file} is not executable; run \`chmod +x\` on it, or name its interpreter as the command.`;
  return new SpawnError('SPAWN_PERMISSION_DENIED', message, { cause });
}

function notFoundMessage(command: string, cwd: string, path: string): string {
  if (command.includes('/'))
    return `The program ${resolve(cwd, command)} does not exist; correct the path or install it.`;
  const searched = path === '' ? 'PATH is empty' : `searched ${path.split(delimiter).join(', ')}`;
  return `The program ${command} was not found. Install it, add its folder to PATH, or give its full path (${searched}).`;
}

function candidates(name: string, path: string, cwd: string): readonly string[] {
  if (name === '' || name.includes('\0')) return [];
  if (name.includes('/') || isAbsolute(name)) return [resolve(cwd, name)];
  return path.split(delimiter).map((folder) => resolve(cwd, join(folder, name)));
}

function isExecutableFile(file: string): boolean {
  return statOf(file)?.isFile() === true && allows(file, constants.X_OK);
}

function statOf(file: string): Stats | undefined {
  try {
    return statSync(file, { throwIfNoEntry: false });
  } catch {
    // A folder on the way may not be searched or is a file: for the caller the file isn't there.
    return undefined;
  }
}

function allows(file: string, mode: number): boolean {
  try {
    accessSync(file, mode);
    return true;
  } catch {
    return false;
  }
}

function interpreterOf(program: string): string | undefined {
  try {
    return /^#!\s*(\S+)/.exec(readFileSync(program, 'latin1').slice(0, 256))?.[1];
  } catch {
    return undefined;
  }
}
