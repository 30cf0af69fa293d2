/**
 * The collecting agents that read one kind of file each: list the tree, read what is theirs, keep the facts. Each lists
 * the tree by itself, so that none of them waits for, or is rerun because of, another.
 */
import type { ReportProgress } from './agent-program.ts';
import { builtFiles } from './built-files.ts';
import { type FileFingerprints, fingerprintsOf, sharedOnly } from './fingerprints.ts';
import { isScript, languageOf } from './language.ts';
import { type MarkdownFacts, markdownFacts } from './markdown.ts';
import { importsOfMarkup } from './markup-imports.ts';
import { extensionOf } from './path.ts';
import { readText, TOO_LARGE, UnreadFiles } from './read-text.ts';
import { isTestFile, roleOf } from './role.ts';
import { listSourceTree, type SourceFile } from './source-tree.ts';
import { type FileSyntax, syntaxOf } from './syntax.ts';
import { type TestFacts, testFacts } from './test-facts.ts';
import { type TextFacts, textFacts } from './text-facts.ts';

/** What every collecting agent answers: the facts, and what it could not read and why. */
export interface Collected<Facts> {
  readonly files: readonly Facts[];
  readonly notes: readonly string[];
}

export async function collectSyntax(root: string, progress: ReportProgress): Promise<Collected<FileSyntax>> {
  const isMarkup = (path: string) => /\.(vue|svelte|astro|mdx|html)$/.test(path);
  const wanted = (path: string) =>
    (isScript(path) || isMarkup(path)) && roleOf(path) !== 'fixture' && roleOf(path) !== 'generated';
  return readEach(root, wanted, progress, (path, text, unread) => {
    if (isMarkup(path)) return importsOfMarkup(path, text);
    if (isMinified(text)) {
      unread.add('not parsed, being minified', path);
      return undefined;
    }
    try {
      return syntaxOf(path, text);
    } catch (error) {
      unread.add(
        error instanceof RangeError
          ? 'not parsed, being nested too deeply'
          : `not parsed (${String(error).slice(0, 100)})`,
        path,
      );
      return undefined;
    }
  });
}

export function collectDocs(root: string, progress: ReportProgress): Promise<Collected<MarkdownFacts>> {
  const wanted = (path: string) =>
    ['.md', '.mdx', '.markdown'].includes(extensionOf(path)) && roleOf(path) !== 'fixture';
  return readEach(root, wanted, progress, markdownFacts);
}

export function collectTests(root: string, progress: ReportProgress): Promise<Collected<TestFacts>> {
  return readEach(root, isTestFile, progress, testFacts);
}

export function collectText(root: string, progress: ReportProgress): Promise<Collected<TextFacts>> {
  const wanted = (path: string) => languageOf(path).kind !== 'other' && roleOf(path) !== 'generated';
  return readEach(root, wanted, progress, textFacts);
}

export async function collectTokens(root: string, progress: ReportProgress): Promise<Collected<FileFingerprints>> {
  const wanted = (path: string) => {
    const role = roleOf(path);
    const { kind } = languageOf(path);
    const isCode = kind === 'script' || kind === 'code' || kind === 'style' || /\.(vue|svelte|astro)$/.test(path);
    return isCode && role !== 'fixture' && role !== 'generated' && role !== 'declaration';
  };
  const collected = await readEach(root, wanted, progress, (path, text) => {
    return isMinified(text) || textFacts(path, text).generated ? undefined : fingerprintsOf(path, text);
  });
  return { ...collected, files: sharedOnly(collected.files) };
}

async function readEach<Facts>(
  root: string,
  wanted: (path: string) => boolean,
  progress: ReportProgress,
  factsOf: (path: string, text: string, unread: UnreadFiles) => Facts | undefined,
): Promise<Collected<Facts>> {
  const tree = await listSourceTree(root);
  const built = builtFiles(tree.files.map((file) => file.path));
  const mine: readonly SourceFile[] = tree.files.filter((file) => wanted(file.path) && !built.has(file.path));
  const unread = new UnreadFiles();
  const files: Facts[] = [];
  for (const [index, file] of mine.entries()) {
    progress(index, mine.length, file.path);
    const read = await readText(root, file);
    if (read.kind === 'too-large') unread.add(TOO_LARGE, file.path);
    else if (read.kind === 'unreadable') unread.add('not read, since opening them failed', file.path);
    else if (read.kind === 'binary') unread.add('not read, being binary', file.path);
    else {
      const facts = factsOf(file.path, read.text, unread);
      if (facts !== undefined) files.push(facts);
    }
  }
  progress(mine.length, mine.length);
  return { files, notes: unread.notes() };
}

/** Long lines throughout: written by a bundler, and nothing an engineer would edit. */
function isMinified(text: string): boolean {
  return text.length > 5_000 && text.length / (text.split('\n').length || 1) > 300;
}
