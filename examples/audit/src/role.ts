/**
 * What a file is for, by its path. Findings depend on it: nobody wants to hear that a test exports something unused, or
 * that a recorded fixture repeats itself.
 */
import { languageOf } from './language.ts';
import { nameOf } from './path.ts';

/**
 * `source` is what the project is about; `support` what helps to build, show or measure it (scripts, examples,
 * benchmarks); `fixture` is input of tests or other people's code; `generated` nobody edits by hand.
 */
export type FileRole = 'source' | 'test' | 'support' | 'config' | 'declaration' | 'fixture' | 'generated';

const FIXTURE_FOLDERS = new Set(
  'fixture fixtures __fixtures__ testdata test-data recordings snapshots __snapshots__ vendor vendored third_party third-party corpus'.split(
    ' ',
  ),
);
const TEST_FOLDERS = new Set('test tests __tests__ __mocks__ spec specs e2e cypress'.split(' '));
const SUPPORT_FOLDERS = new Set(
  'bench benches benchmark benchmarks example examples demo demos sample samples script scripts tool tools docs doc website perf playground playgrounds stories .storybook .github .ci'.split(
    ' ',
  ),
);
const LOCKFILES = new Set(
  'package-lock.json npm-shrinkwrap.json pnpm-lock.yaml yarn.lock bun.lock cargo.lock poetry.lock go.sum composer.lock gemfile.lock'.split(
    ' ',
  ),
);

export function roleOf(path: string): FileRole {
  const name = nameOf(path).toLowerCase();
  const folders = path.toLowerCase().split('/').slice(0, -1);
  if (folders.some((folder) => FIXTURE_FOLDERS.has(folder))) return 'fixture';
  if (isGeneratedName(name)) return 'generated';
  if (/\.d\.([a-z]+\.)?[cm]?ts$/.test(name)) return 'declaration';
  if (isTestName(name) || folders.some((folder) => TEST_FOLDERS.has(folder))) return 'test';
  if (isConfigName(name)) return 'config';
  if (/\.(stories|story|bench|perf)\.[cm]?[jt]sx?$/.test(name)) return 'support';
  return folders.some((folder) => SUPPORT_FOLDERS.has(folder)) ? 'support' : 'source';
}

/** A file whose own name makes it a test, wherever it lies; helpers in test folders are not. */
export function isTestFile(path: string): boolean {
  if (roleOf(path) !== 'test') return false;
  const name = nameOf(path).toLowerCase();
  if (isTestName(name)) return true;
  // Older projects put plain files into test/: those are tests where the language has no other mark.
  return languageOf(path).kind === 'script' && /(^|\/)(test|tests|__tests__|spec|specs)\/[^/]+$/.test(path);
}

export function isLockfile(path: string): boolean {
  return LOCKFILES.has(nameOf(path).toLowerCase());
}

/** The marks that test runners look for; `test-…` only where Node's own runner does, since sources are named so too. */
function isTestName(name: string): boolean {
  return (
    /[.](test|tests|spec|e2e|cy|test-d)\.[a-z]+$/.test(name) ||
    /[-_](test|spec|e2e)\.[a-z]+$/.test(name) ||
    /\.(test|spec)\.[a-z0-9-]+\.[a-z]+$/.test(name) ||
    /^test_.*\.(py|rb|php)$/.test(name) ||
    /^test-.*\.[cm]?js$/.test(name) ||
    /^test\.[cm]?[jt]sx?$/.test(name)
  );
}

function isConfigName(name: string): boolean {
  return (
    /(^|[.-])config(\.[a-z0-9-]+)*\.[a-z]+$/.test(name) ||
    /^\.[a-z-]+rc(\.[a-z]+)?$/.test(name) ||
    /^(gulpfile|gruntfile|jakefile|karma\.conf|vitest\.(setup|workspace)|jest\.(setup|preset)|setuptests)(\.[a-z]+)?$/.test(
      name,
    )
  );
}

function isGeneratedName(name: string): boolean {
  return (
    LOCKFILES.has(name) || /\.min\.(js|css)$|\.(map|snap)$|[.-]generated\.[a-z]+$|_pb\.[jt]s$|\.pb\.go$/.test(name)
  );
}
