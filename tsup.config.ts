/**
 * One build for every workspace package, run from the package's own folder.
 *
 * The entries are read from `package.json`, so that a door and its build cannot disagree: the source file of every
 * `exports` entry (patterns too) and of every `bin`, plus each `src/**\/*-entry.ts`: the files at which a new thread
 * or process starts.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { defineConfig } from 'tsup';

interface Manifest {
  readonly private?: boolean;
  readonly exports?: Readonly<Record<string, { readonly '@cadre/source'?: string }>>;
  readonly bin?: Readonly<Record<string, string>>;
}

const manifest: Manifest = JSON.parse(readFileSync('package.json', 'utf8'));
const doors = Object.values(manifest.exports ?? {}).flatMap((door) => expand(door['@cadre/source'] ?? ''));
const programs = Object.values(manifest.bin ?? {}).map((file) => file.replace(/^\.\/dist\/(.*)\.js$/, './src/$1.ts'));
const threads = expand('./src/**-entry.ts');

export default defineConfig({
  entry: byOutputName([...doors, ...programs, ...threads]),
  format: 'esm',
  target: 'node20',
  platform: 'node',
  dts: manifest.private || doors.length === 0 ? false : { entry: byOutputName(doors) },
  clean: true,
  sourcemap: true,
  splitting: true,
  treeshake: false,
});

/** The files that a path holding at most one run of stars stands for; the stars match across folders. */
function expand(pattern: string): readonly string[] {
  if (!pattern.includes('*')) return pattern === '' ? [] : [pattern];
  const [prefix = '', suffix = ''] = pattern.split(/\*+/);
  const folder = prefix.replace(/\/$/, '');
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(suffix) && !name.endsWith('.test.ts'))
    .map((name) => `${folder}/${name}`);
}

function byOutputName(files: readonly string[]): Record<string, string> {
  return Object.fromEntries(files.map((file) => [file.replace(/^\.\/(src\/)?|\.ts$/g, ''), file]));
}
