/** `cadre config profiles`: the shipped profiles, what each is for, and why each of its values is what it is. */
import { resolve } from 'node:path';
import { describedProfiles, type Profile, type ProfilePath } from '@cadre/config';
import { openConsole, type SharedOptions } from '../console.ts';
import { CadreError } from '../errors.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Host } from '../host.ts';
import { loadSettings } from '../settings.ts';

/** @param name of one profile; undefined: all of them */
export async function configProfiles(host: Host, name: string | undefined, options: SharedOptions): Promise<number> {
  const console = openConsole(host, options);
  const { profile: chosen } = await loadSettings(host, { directory: resolve(host.directory, options.project ?? '.') });
  const all: readonly (readonly [string, Profile])[] = Object.entries(describedProfiles);
  const shown = all.filter(([each]) => name === undefined || each === name);
  if (shown.length === 0) {
    const names = all.map(([each]) => each).join(', ');
    throw new CadreError('CADRE_USAGE', `There is no profile ${name}; there are ${names}.`);
  }
  if (console.json) {
    const value = shown.map(([each, { purpose, settings, reasons }]) => {
      return { name: each, chosen: each === chosen, purpose, settings, reasons };
    });
    console.print(JSON.stringify(value, null, 2));
    return exitCodes.succeeded;
  }
  for (const [index, [each, profile]] of shown.entries()) {
    if (index > 0) console.print('');
    const mark = each === chosen ? ' (chosen)' : '';
    console.print(`${console.colors.bold(each)}${mark}: ${profile.purpose}`);
    for (const line of settingLines(profile)) console.print(line);
  }
  if (name === undefined) {
    console.print('');
    console.print(`Choose one with --profile, CADRE_PROFILE or \`profile: <name>\` in cadre.config.yaml.`);
  }
  return exitCodes.succeeded;
}

function settingLines({ settings, reasons }: Profile): readonly string[] {
  const values: Readonly<Record<ProfilePath, string>> = {
    concurrency: String(settings.concurrency),
    timeoutMs: `${settings.timeoutMs / 60_000} min`,
    graceMs: `${settings.graceMs / 1_000} s`,
    'cache.memoryMaxBytes': bytes(settings.cache.memoryMaxBytes),
    'cache.diskMaxBytes': bytes(settings.cache.diskMaxBytes),
  };
  return Object.entries(values).map(([path, value]) => {
    return `  ${path.padEnd(20)}  ${value.padStart(7)}  ${reasons[path as ProfilePath]}`;
  });
}

function bytes(count: number): string {
  const mebibytes = count / (1024 * 1024);
  return mebibytes >= 1024 ? `${mebibytes / 1024} GiB` : `${mebibytes} MiB`;
}
