/** The list of files, each with what its name says of it. */
import { builtFiles } from './built-files.ts';
import { listNames, plural } from './finding.ts';
import { type LanguageKind, languageOf } from './language.ts';
import { type FileRole, roleOf } from './role.ts';
import { listSourceTree } from './source-tree.ts';

interface FileFact {
  readonly path: string;
  readonly bytes: number;
  readonly language: string;
  readonly kind: LanguageKind;
  readonly role: FileRole;
}

export interface FilesFacts {
  readonly files: readonly FileFact[];
  readonly listedBy: 'git' | 'walk';
  readonly notes: readonly string[];
}

export async function fileFacts(root: string): Promise<FilesFacts> {
  const tree = await listSourceTree(root);
  const built = builtFiles(tree.files.map((file) => file.path));
  const files = tree.files.map(({ path, bytes }) => {
    const language = languageOf(path);
    return {
      path,
      bytes,
      language: language.name,
      kind: language.kind,
      role: built.has(path) ? ('generated' as const) : roleOf(path),
    };
  });
  return { files, listedBy: tree.listedBy, notes: [...tree.notes, ...builtNotes(built), ...unparsedNotes(files)] };
}

function builtNotes(built: ReadonlySet<string>): readonly string[] {
  if (built.size === 0) return [];
  const named = listNames(
    [...built].sort().map((path) => JSON.stringify(path)),
    3,
  );
  return [`${plural(built.size, 'file')} passed over, being built from other files of the tree: ${named}.`];
}

/** Says which code no syntax tree was made of. */
function unparsedNotes(files: readonly FileFact[]): readonly string[] {
  const counts = new Map<string, number>();
  for (const { kind, language } of files) if (kind === 'code') counts.set(language, (counts.get(language) ?? 0) + 1);
  if (counts.size === 0) return [];
  const list = [...counts]
    .sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
    .map(([language, count]) => `${language} ${count}`);
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
  return [
    `${plural(total, 'file')} not parsed, being in languages other than JavaScript and TypeScript: ${list.join(', ')}.`,
  ];
}
