/** Workflow files: from a path or a text to a workflow, or to everything that is wrong with it. */
import { constants, readdirSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { buildWorkflow, type WorkflowOrigin } from './build.ts';
import { nearName } from './build-agents.ts';
import { defineWorkflow, type WorkflowDefinition } from './define.ts';
import { WorkflowError, WorkflowInvalidError } from './errors.ts';
import { type Finding, Findings, maxProblems } from './problems.ts';
import { isRecord } from './untyped.ts';
import type { Workflow } from './workflow.ts';
import { readYaml, type YamlDocument } from './yaml-document.ts';

/** Bytes of a workflow file. */
export const maxWorkflowBytes = 1024 * 1024;

/**
 * The workflow of a YAML or JSON file. Relative paths in it start from its folder.
 * @throws {WorkflowInvalidError} WORKFLOW_INVALID with every problem in it (1,000 at most).
 * @throws {WorkflowError} WORKFLOW_NOT_FOUND, WORKFLOW_UNREADABLE for a folder or what may not be read,
 * WORKFLOW_TOO_LARGE over 1 MiB, before any of it is read.
 */
export async function loadWorkflow(file: string): Promise<Workflow> {
  const path = resolve(file);
  const text = decode(await readBounded(path), path);
  return parseWorkflow(text, { file: path, directory: dirname(path) });
}

export interface ParseWorkflowOptions {
  /** For messages, and `Workflow.file`. */
  readonly file?: string;
  /** Where relative paths start. */
  readonly directory: string;
  /** Whether programs and modules given by a relative path must be there. @default true */
  readonly checkFiles?: boolean;
}

/**
 * The workflow of a YAML or JSON text.
 * @throws {WorkflowInvalidError} WORKFLOW_INVALID with every problem in it (1,000 at most).
 * @throws {WorkflowError} WORKFLOW_TOO_LARGE over 1 MiB.
 */
export function parseWorkflow(text: string, options: ParseWorkflowOptions): Workflow {
  const file = options.file === undefined ? undefined : resolve(options.file);
  const definition = file === undefined ? definitionOf(text) : undefined;
  if (definition !== undefined) return defineWorkflow(definition, options);
  const bytes = Buffer.byteLength(text);
  if (bytes > maxWorkflowBytes) throw tooLarge(file ?? 'The workflow', bytes);
  const nul = text.indexOf('\0');
  if (nul !== -1)
    throw notText(text.slice(0, nul), 'a NUL character stands here: the file is damaged or no text', file);
  const document = readYaml(text);
  const findings = new Findings();
  const origin = { file, source: text, directory: resolve(options.directory), checkFiles: options.checkFiles ?? true };
  const workflow = contentOf(document, origin, findings);
  const problems = inOrder(document, findings).map((finding) => document.toProblem(finding, file));
  if (workflow === undefined || problems.length > 0) throw new WorkflowInvalidError(file ?? 'The workflow', problems);
  return workflow;
}

/** The definition that a text is the `Workflow.source` of: written back it gives the very text, so nothing of it is lost. */
function definitionOf(text: string): WorkflowDefinition | undefined {
  if (!text.startsWith('{"')) return undefined;
  try {
    const value = JSON.parse(text);
    return JSON.stringify(value) === text ? value : undefined;
  } catch {
    // Not JSON, or nested too deeply for it: the YAML reader says what is wrong and where.
    return undefined;
  }
}

function contentOf(document: YamlDocument, origin: WorkflowOrigin, findings: Findings): Workflow | undefined {
  const { value } = document;
  if (isRecord(value)) return buildWorkflow(value, origin, findings);
  // With a text that could not be read at all, what could not be read has been reported.
  if (document.findings.list.length > 0 && (value === undefined || value === null)) return undefined;
  const what =
    value === undefined || value === null ? 'is empty' : `holds ${Array.isArray(value) ? 'a list' : 'one value'}`;
  findings.add({ path: [], place: 0, message: `the file ${what}; a workflow is a map with name, agents and tasks` });
  return undefined;
}

/** By place in the file. Of a file that is broken somewhere only what stands before that place is worth saying. */
function inOrder(document: YamlDocument, findings: Findings): readonly Finding[] {
  const cut = document.brokenAt ?? Infinity;
  const located = [
    ...document.findings.list.map((finding) => ({ finding, offset: document.offsetOf(finding) })),
    ...findings.list
      .map((finding) => ({ finding, offset: document.offsetOf(finding) }))
      .filter(({ finding, offset }) => cut === Infinity || (offset < cut && finding.absence !== true)),
  ];
  return located
    .sort((a, b) => a.offset - b.offset)
    .slice(0, maxProblems)
    .map(({ finding }) => finding);
}

async function readBounded(path: string): Promise<Uint8Array> {
  let handle: FileHandle;
  try {
    // Without O_NONBLOCK opening a named pipe would wait for a writer, for ever.
    handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    throw cannotOpen(path, error);
  }
  try {
    const stats = await handle.stat();
    if (stats.isDirectory()) throw isFolder(path);
    if (!stats.isFile())
      throw new WorkflowError('WORKFLOW_UNREADABLE', `${path} is no file; give the path of a workflow file.`);
    if (stats.size > maxWorkflowBytes) throw tooLarge(path, stats.size);
    const buffer = new Uint8Array(maxWorkflowBytes + 1);
    const length = await fill(handle, buffer);
    if (length > maxWorkflowBytes) throw tooLarge(path, length);
    return buffer.subarray(0, length);
  } catch (error) {
    throw error instanceof WorkflowError ? error : cannotOpen(path, error);
  } finally {
    await handle.close();
  }
}

async function fill(handle: FileHandle, buffer: Uint8Array): Promise<number> {
  let length = 0;
  while (length < buffer.length) {
    const { bytesRead } = await handle.read(buffer, length, buffer.length - length, length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return length;
}

function decode(bytes: Uint8Array, path: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    // What it throws says nothing about where: compared with its own lossy reading, the bytes differ first at the fault.
    const lossy = Buffer.from(Buffer.from(bytes).toString('utf8'));
    const at = lossy.findIndex((byte, index) => byte !== bytes[index]);
    const before = new TextDecoder().decode(bytes.subarray(0, at));
    throw notText(before, 'this is not UTF-8; save the file as UTF-8', path);
  }
}

function notText(before: string, message: string, file: string | undefined): WorkflowInvalidError {
  const line = before.split('\n').length;
  const column = before.length - before.lastIndexOf('\n');
  return new WorkflowInvalidError(file ?? 'The workflow', [{ message, file, line, column, path: '' }]);
}

function cannotOpen(path: string, error: unknown): WorkflowError {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code !== 'ENOENT' && code !== 'ENOTDIR') {
    const reason = error instanceof Error ? error.message : String(error);
    return new WorkflowError('WORKFLOW_UNREADABLE', `${path} can't be read: ${reason}.`, { cause: error });
  }
  const near = nearName(path) ?? workflowIn(dirname(path));
  const advice = near === undefined ? 'Give the path of a workflow file.' : `Did you mean ${near}?`;
  return new WorkflowError('WORKFLOW_NOT_FOUND', `${path} does not exist. ${advice}`, { cause: error });
}

function isFolder(path: string): WorkflowError {
  const inside = workflowIn(path);
  const advice = inside === undefined ? 'Give the path of a workflow file.' : `Did you mean ${inside}?`;
  return new WorkflowError('WORKFLOW_UNREADABLE', `${path} is a folder. ${advice}`);
}

function workflowIn(folder: string): string | undefined {
  try {
    const names = readdirSync(folder).sort();
    const name =
      names.find((entry) => /^workflow\.(ya?ml|json)$/.test(entry)) ?? names.find((entry) => /\.ya?ml$/.test(entry));
    return name === undefined ? undefined : join(folder, name);
  } catch {
    // The folder is missing too, or closed to us: there is nothing to suggest.
    return undefined;
  }
}

function tooLarge(subject: string, bytes: number): WorkflowError {
  const message = `${subject} has ${bytes} bytes, more than the ${maxWorkflowBytes} a workflow file may have.`;
  return new WorkflowError('WORKFLOW_TOO_LARGE', `${message} Make large graphs in code, with defineWorkflow.`);
}
