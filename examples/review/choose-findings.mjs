/**
 * Takes the first findings of an audit. Each gets a digest of the file it names: what an agent sees there is part of what it
 * judges, so a changed file means a new review, and an unchanged one means none.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { resolve, sep } from 'node:path';

/**
 * @param {{ input: { with: { root: string, findings: string, top: number } } }} task
 * @returns the findings, first things first
 */
export default async function chooseFindings({ input }) {
  const { root, findings: file, top } = input.with;
  const text = await readFile(file, 'utf8').catch((error) => {
    if (error.code !== 'ENOENT') throw error;
    throw new Error(`There are no findings at ${file}: run the audit first, cadre run examples/audit/workflow.yaml.`);
  });
  const { findings, total } = JSON.parse(text);
  const chosen = findings.slice(0, Math.max(0, Math.trunc(top)));
  return { total, findings: await Promise.all(chosen.map((finding) => withDigest(root, finding))) };
}

/** @param {string} root @param {{ file: string }} finding */
async function withDigest(root, finding) {
  const path = resolve(root, finding.file);
  if (!path.startsWith(resolve(root) + sep))
    throw new Error(`A finding names ${JSON.stringify(finding.file)}, which is not in ${root}.`);
  // A file that is gone, or can't be read, has no digest: the reviewer will find that out and say so.
  const content = await readFile(path).catch(() => undefined);
  const digest = content === undefined ? null : createHash('sha256').update(content).digest('hex').slice(0, 16);
  return { ...finding, digest };
}
