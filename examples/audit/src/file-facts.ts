/** The list of files, each with what its name says of it. */
import { type LanguageKind, languageOf } from './language.ts';
import { type FileRole, roleOf } from './role.ts';
import { listSourceTree } from './source-tree.ts';

export interface FileFact {
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
  const files = tree.files.map(({ path, bytes }) => {
    const language = languageOf(path);
    return { path, bytes, language: language.name, kind: language.kind, role: roleOf(path) };
  });
  return { files, listedBy: tree.listedBy, notes: tree.notes };
}
