import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type BenchmarkRecord, formatRecord, readRecord } from '../record.ts';
import { readHistory } from './history.ts';
import { renderHtml } from './html.ts';

let record: BenchmarkRecord;

beforeAll(async () => {
  record = await readRecord(fileURLToPath(new URL('../../test/records/two-packages.json', import.meta.url)));
});

describe('renderHtml', () => {
  test('holds everything it shows and fetches nothing', () => {
    const page = renderHtml(record);
    expect(page).not.toMatch(/<script|<link|@import|url\(|https?:|\ssrc=/);
    expect(page).toContain("default-src 'none'");
  });

  test('escapes what names, questions and messages hold', () => {
    const hostile = '"><script>alert(1)</script>\u0000&\'';
    const [first, ...rest] = record.packages;
    const [entry] = first?.cases ?? [];
    if (first === undefined || entry === undefined) throw new TypeError('The fixture has no case.');
    const renamed = { ...entry, name: `a/${hostile}`, question: hostile, unit: hostile };
    const variants = { ...entry.variants, [hostile]: Object.values(entry.variants)[0] };
    const failures = [{ case: hostile, code: hostile, message: hostile }];
    const page = renderHtml(
      {
        ...record,
        packages: [{ ...first, name: hostile, cases: [{ ...renamed, variants }], failures }, ...rest],
      } as BenchmarkRecord,
      { title: hostile, commandFor: () => hostile },
    );
    expect(page).not.toContain('<script');
    expect(page).not.toContain('\u0000');
    expect(page.match(/&lt;script&gt;alert\(1\)/g)?.length).toBeGreaterThan(10);
  });

  test('nests its elements and gives every id once', () => {
    expectSound(renderHtml(record));
  });

  test('gives every chart a title and a description with its figures', () => {
    const page = renderHtml(record);
    const charts = page.match(/<svg[^>]*>\n<title[^>]*>[^<]+<\/title>\n<desc[^>]*>[^<]+<\/desc>/g) ?? [];
    expect(charts.length).toBe(page.match(/<svg/g)?.length);
    expect(charts.join()).toMatch(/eventemitter3 takes 0\.98× .* as long as cadre: FASTER/);
  });

  test('says first where a rival is faster', () => {
    const page = renderHtml(record);
    expect(page).toContain('<strong>1</strong> slower than a rival');
    const overview = page.slice(page.indexOf('id="overview"'), page.indexOf('</section>'));
    expect(overview.indexOf('bus/publish-one')).toBeLessThan(overview.indexOf('bus/publish-wildcards'));
    expect(overview).toMatch(/behind">0\.98×/);
  });

  test('draws every other kind, and the claims beside what was measured', async () => {
    const path = fileURLToPath(new URL('../../test/records/kinds-and-workloads.json', import.meta.url));
    const page = renderHtml(await readRecord(path), { commandFor: (name) => `run ${name}` });
    expectSound(page);
    for (const kind of ['load', 'memory', 'leak', 'scenario', 'size']) {
      expect(page).toContain(`<span class="badge">${kind}</span>`);
    }
    expect(page.match(/<svg/g)?.length).toBe(5 + 1 + 3 * 2);
    expect(page).toMatch(/slow: p50 83.0 µs, p95 183 µs/);
    expect(page).toMatch(/cadre, hold: 231 of 300 failed/);
    expect(page).toMatch(/bus-in-process: messages, one publisher and one subscriber: 40.4×, met/);
    expect(page).toMatch(/<li class="behind">loses: VIOLATED/);
    expect(page).toContain('none claimed');
    expect(page).toContain('run workloads/memory-read');
  });

  test('says at the top that the run was too noisy, or too short', () => {
    const busy = { ...record, environment: { ...record.environment, busyShare: 0.9 } };
    const page = renderHtml({ ...busy, settings: { ...record.settings, rounds: 3 } });
    const header = page.slice(0, page.indexOf('<main'));
    expect(header).toContain('Too noisy to prove anything.');
    expect(header).toContain('3 rounds prove nothing');
    expect(renderHtml(record)).not.toContain('role="note"');
  });
});

describe('readHistory', () => {
  let directory: string;
  const git = (...args: string[]) => execFileSync('git', args, { cwd: directory, stdio: 'ignore' });
  const commit = (message: string) =>
    git('-c', 'user.name=a', '-c', 'user.email=a@b', '-c', 'commit.gpgsign=false', 'commit', '-qam', message);

  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'cadre-history-'));
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  test('finds what git remembers of a baseline, its release, and the records beside it', async () => {
    const [baselines, results] = [join(directory, 'baselines'), join(directory, 'results')];
    for (const folder of [baselines, results]) mkdirSync(folder);
    const at = (createdAt: string, rounds = 11) =>
      formatRecord({ ...record, createdAt, settings: { ...record.settings, rounds } });
    git('init', '-q');
    writeFileSync(join(baselines, 'bus.json'), at('2026-01-01T00:00:00.000Z'));
    git('add', '.');
    commit('one');
    git('tag', '@cadre/bus@1.0.0');
    writeFileSync(join(baselines, 'bus.json'), 'damaged');
    commit('two');
    writeFileSync(join(baselines, 'bus.json'), at('2026-02-01T00:00:00.000Z'));
    writeFileSync(join(results, '2026-01-15.json'), at('2026-01-15T00:00:00.000Z'));
    writeFileSync(join(results, '2026-01-16.json'), at('2026-01-16T00:00:00.000Z', 3));
    writeFileSync(join(results, '2026-01-17.json'), '{}');

    const history = await readHistory({ baselinesDirectory: baselines, resultsDirectory: results });
    const points = history.find(({ name }) => name === 'bus/publish-one')?.points;
    expect(points?.map(({ at: day, label, isBaseline }) => `${day.slice(0, 10)} ${label} ${isBaseline}`)).toEqual([
      '2026-01-01 @cadre/bus@1.0.0 true',
      '2026-01-15 2bee1d11 false',
      '2026-02-01 2bee1d11 true',
    ]);
    expect(renderHtml(record, { history })).toContain('History as a table');
  });

  test('is empty where nothing was kept', async () => {
    const nowhere = join(tmpdir(), 'cadre-nowhere');
    expect(await readHistory({ baselinesDirectory: nowhere, resultsDirectory: nowhere })).toEqual([]);
  });
});

function expectSound(page: string): void {
  const open: string[] = [];
  for (const [, closing, name = '', attributes = ''] of page.matchAll(/<(\/?)([a-z][a-z0-9]*)((?:"[^"]*"|[^">])*)>/g)) {
    if (closing === '/') expect(open.pop()).toBe(name);
    else if (!attributes.endsWith('/') && name !== 'meta') open.push(name);
  }
  expect(open).toEqual([]);
  const ids = [...page.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
  expect(new Set(ids).size).toBe(ids.length);
  const targets = [...page.matchAll(/(?:href="#|aria-labelledby=")([^"]+)"/g)].flatMap(([, list = '']) =>
    list.split(' '),
  );
  expect(targets.filter((target) => !ids.includes(target))).toEqual([]);
}
