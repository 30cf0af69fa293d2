/**
 * What a file is, by its name: the language, whether it is code, and how its comments are written. Names are a guess
 * that is right for what engineers look at; nothing later depends on it being right for every file.
 */
import { extensionOf, nameOf } from './path.ts';

export type LanguageKind = 'script' | 'code' | 'style' | 'markup' | 'prose' | 'data' | 'other';
export type CommentStyle = 'c' | 'hash' | 'dash' | 'markup' | 'none';

export interface Language {
  readonly name: string;
  /** `script` is JavaScript and TypeScript: what is parsed into syntax trees. */
  readonly kind: LanguageKind;
  readonly comments: CommentStyle;
}

const OTHER: Language = { name: 'Other', kind: 'other', comments: 'none' };

export function languageOf(path: string): Language {
  const name = nameOf(path).toLowerCase();
  return BY_NAME.get(name) ?? BY_EXTENSION.get(extensionOf(path)) ?? OTHER;
}

export function isScript(path: string): boolean {
  return languageOf(path).kind === 'script';
}

function table(...rows: readonly (readonly [string, LanguageKind, CommentStyle, string])[]): Map<string, Language> {
  const entries = new Map<string, Language>();
  for (const [name, kind, comments, keys] of rows) {
    for (const key of keys.split(' ')) entries.set(key, { name, kind, comments });
  }
  return entries;
}

const BY_EXTENSION = table(
  ['TypeScript', 'script', 'c', '.ts .tsx .mts .cts'],
  ['JavaScript', 'script', 'c', '.js .jsx .mjs .cjs'],
  ['Python', 'code', 'hash', '.py .pyi'],
  ['Ruby', 'code', 'hash', '.rb .rake'],
  ['Shell', 'code', 'hash', '.sh .bash .zsh .fish'],
  ['Perl', 'code', 'hash', '.pl .pm'],
  ['R', 'code', 'hash', '.r'],
  ['Elixir', 'code', 'hash', '.ex .exs'],
  ['Go', 'code', 'c', '.go'],
  ['Rust', 'code', 'c', '.rs'],
  ['Java', 'code', 'c', '.java'],
  ['Kotlin', 'code', 'c', '.kt .kts'],
  ['Scala', 'code', 'c', '.scala'],
  ['Groovy', 'code', 'c', '.groovy .gradle'],
  ['C', 'code', 'c', '.c .h'],
  ['C++', 'code', 'c', '.cc .cpp .cxx .hpp .hh'],
  ['C#', 'code', 'c', '.cs'],
  ['Objective-C', 'code', 'c', '.m .mm'],
  ['Swift', 'code', 'c', '.swift'],
  ['Dart', 'code', 'c', '.dart'],
  ['PHP', 'code', 'c', '.php'],
  ['Zig', 'code', 'c', '.zig'],
  ['Protocol Buffers', 'code', 'c', '.proto'],
  ['GraphQL', 'code', 'hash', '.graphql .gql'],
  ['Lua', 'code', 'dash', '.lua'],
  ['Haskell', 'code', 'dash', '.hs'],
  ['SQL', 'code', 'dash', '.sql'],
  ['Terraform', 'code', 'hash', '.tf'],
  ['CSS', 'style', 'c', '.css .scss .less'],
  ['Sass', 'style', 'c', '.sass'],
  ['HTML', 'markup', 'markup', '.html .htm'],
  ['Vue', 'markup', 'markup', '.vue'],
  ['Svelte', 'markup', 'markup', '.svelte'],
  ['Astro', 'markup', 'markup', '.astro'],
  ['XML', 'data', 'markup', '.xml .svg'],
  ['Markdown', 'prose', 'markup', '.md .mdx .markdown'],
  ['Text', 'prose', 'none', '.txt .rst .adoc'],
  ['JSON', 'data', 'none', '.json .json5 .jsonc .jsonl .ndjson'],
  ['YAML', 'data', 'hash', '.yaml .yml'],
  ['TOML', 'data', 'hash', '.toml'],
  ['INI', 'data', 'hash', '.ini .cfg .properties .editorconfig'],
);

const BY_NAME = table(
  ['Docker', 'code', 'hash', 'dockerfile containerfile'],
  ['Make', 'code', 'hash', 'makefile gnumakefile'],
  ['Text', 'prose', 'none', 'license licence copying notice authors codeowners'],
  ['JSON', 'data', 'none', '.prettierrc .eslintrc .babelrc .swcrc'],
  ['Ignore list', 'data', 'hash', '.gitignore .npmignore .dockerignore .gitattributes'],
);
