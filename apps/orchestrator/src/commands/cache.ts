/** `cadre cache`: what is kept of earlier runs' results: how much, whether it is sound, and moving it between machines. */
import { createReadStream, existsSync } from 'node:fs';
import { rename, rm, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type KeptResults, noStateFolder, openKeptResults, resultsDirectory } from '../compose.ts';
import { type Console, openConsole, type SharedOptions } from '../console.ts';
import { CadreError } from '../errors.ts';
import { exitCodes } from '../exit-codes.ts';
import { stateFolder } from '../folders.ts';
import type { Host } from '../host.ts';
import { loadSettings } from '../settings.ts';
import { formatCount } from '../view/format.ts';

export function cacheStats(host: Host, options: SharedOptions): Promise<number> {
  return withResults(host, options, async ({ cache, directory, counted }, { json, print }) => {
    await counted();
    const { entries = 0, bytes = 0, maxBytes = 0 } = cache.stats().tiers[0] ?? {};
    if (json) print(JSON.stringify({ directory, entries, bytes, maxBytes }, null, 2));
    else print(`${formatCount(entries, 'result')} in ${directory}: ${formatBytes(bytes)} of ${formatBytes(maxBytes)}.`);
    return exitCodes.succeeded;
  });
}

export function cacheClear(host: Host, options: SharedOptions): Promise<number> {
  return withResults(host, options, async ({ cache, directory, counted }, { json, print }) => {
    await counted();
    const { entries = 0, bytes = 0 } = cache.stats().tiers[0] ?? {};
    await cache.clear();
    const left = cache.stats().tiers[0]?.entries ?? 0;
    const removed = { directory, entries: entries - left, bytes: bytes - (cache.stats().tiers[0]?.bytes ?? 0) };
    if (json) print(JSON.stringify(removed, null, 2));
    else print(`${formatCount(removed.entries, 'result')} removed, ${formatBytes(removed.bytes)}.`);
    return exitCodes.succeeded;
  });
}

/** Exits with 1 when something was not as it was sealed; that has been removed. */
export function cacheVerify(host: Host, options: SharedOptions): Promise<number> {
  return withResults(host, options, async ({ cache }, { json, print }) => {
    const [report] = await cache.verify();
    const { genuine = 0, expired = 0, bytes = 0 } = report ?? {};
    const rejections = Object.entries(report?.rejections ?? {}).filter(([, count]) => count > 0);
    const rejected = rejections.reduce((sum, [, count]) => sum + count, 0);
    if (json) print(JSON.stringify({ genuine, expired, bytes, rejections: report?.rejections ?? {} }, null, 2));
    else {
      const reasons = rejections.map(([reason, count]) => `${reason} ${count}`).join(', ');
      print(`${formatCount(genuine, 'result')} as sealed, ${formatBytes(bytes)}.`);
      if (rejected > 0)
        print(`${formatCount(rejected, 'result')} not believed (${reasons}); the tasks will run again.`);
    }
    return rejected === 0 ? exitCodes.succeeded : exitCodes.tasksFailed;
  });
}

export function cacheExport(host: Host, file: string, options: SharedOptions): Promise<number> {
  return withResults(host, options, async ({ cache, counted }, { json, print }) => {
    await counted();
    const path = resolve(host.directory, file);
    const temporary = `${path}.${host.pid}.tmp`;
    let entries = 0;
    let bytes = 0;
    const counting = async function* () {
      for await (const frame of cache.export()) {
        entries += 1;
        bytes += frame.byteLength;
        yield frame;
      }
    };
    try {
      await writeFile(temporary, counting(), { mode: 0o600, flag: 'wx' });
      await rename(temporary, path);
    } finally {
      await rm(temporary, { force: true });
    }
    if (json) print(JSON.stringify({ file: path, entries, bytes }, null, 2));
    else print(`${formatCount(entries, 'result')} written to ${path}, ${formatBytes(bytes)}.`);
    return exitCodes.succeeded;
  });
}

/** Exits with 1 when the file holds what can't be believed. */
export function cacheWarm(host: Host, file: string, options: SharedOptions): Promise<number> {
  const path = resolve(host.directory, file);
  return withResults(
    host,
    options,
    async ({ cache, counted }, { json, print }) => {
      await counted();
      const { imported, expired, notStored, rejections } = await cache.import(createReadStream(path));
      const rejected = Object.values(rejections).reduce((sum, count) => sum + count, 0);
      if (json) print(JSON.stringify({ file: path, imported, expired, notStored, rejections }, null, 2));
      else {
        print(`${formatCount(imported, 'result')} taken in from ${path}.`);
        if (expired + notStored > 0)
          print(`${formatCount(expired + notStored, 'result')} left out: expired, or no room.`);
        if (rejected > 0) print(`${formatCount(rejected, 'result')} not believed. ${adviceOn(rejections.secret)}`);
      }
      return rejected === 0 ? exitCodes.succeeded : exitCodes.tasksFailed;
    },
    { makes: true },
  );
}

function adviceOn(foreign: number): string {
  return foreign > 0
    ? 'They were sealed with another secret: both machines need the same cache-secret file.'
    : 'The file was damaged on its way.';
}

async function withResults(
  host: Host,
  options: SharedOptions,
  act: (results: KeptResults, console: Console) => Promise<number>,
  { makes = false }: { readonly makes?: boolean } = {},
): Promise<number> {
  const console = openConsole(host, options);
  const folder = stateFolder(host);
  if (folder === undefined) throw new CadreError('CADRE_USAGE', `Results can't be read: ${noStateFolder}`);
  const settings = await loadSettings(host, { directory: resolve(host.directory, options.project ?? '.') });
  if (settings.value.cache.diskMaxBytes === 0) {
    throw new CadreError('CADRE_USAGE', 'Nothing is kept: the setting cache.diskMaxBytes is 0.');
  }
  const directory = resultsDirectory(console.projectFolder);
  if (!makes && !existsSync(directory)) {
    console.print(
      console.json
        ? JSON.stringify({ directory, entries: 0, bytes: 0 }, null, 2)
        : `Nothing is kept in ${directory} yet.`,
    );
    return exitCodes.succeeded;
  }
  const results = await openKeptResults({
    settings: settings.value,
    projectFolder: console.projectFolder,
    stateFolder: folder,
  });
  try {
    return await act(results, console);
  } finally {
    await results.cache.close();
  }
}

/** `812 B`, `1.2 KiB`, `64 MiB`. */
function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const step = bytes < 1 ? 0 : Math.min(Math.floor(Math.log2(bytes) / 10), units.length - 1);
  const amount = bytes / 1024 ** step;
  return `${amount < 10 && step > 0 ? amount.toFixed(1) : Math.round(amount)} ${units[step]}`;
}
