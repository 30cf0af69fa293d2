/**
 * `cadre config trust` and `untrust`: what a project's settings file would set that only the user may, and whether it may.
 * Trusting takes the digest that was shown with the file, so that nobody trusts what they have not seen.
 */
import { resolve } from 'node:path';
import { describeOrigin, listTrusted, revokeTrust, type TrustReview, trustProject } from '@cadre/config';
import { type Console, openConsole, type SharedOptions } from '../console.ts';
import { CadreError } from '../errors.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Host } from '../host.ts';
import { neededTrustDirectory, reviewSettings } from '../settings.ts';
import { plainLine } from '../view/plain-text.ts';

export interface ConfigTrustOptions extends SharedOptions {
  /** The digest of the file that was seen. */
  readonly accept?: string;
  readonly list?: boolean;
}

export async function configTrust(host: Host, given: string | undefined, options: ConfigTrustOptions): Promise<number> {
  const console = openConsole(host, options);
  if (options.list === true) return await printTrusted(host, console);
  const directory = resolve(host.directory, given ?? options.project ?? '.');
  const review = await reviewSettings(host, directory);
  if (review === undefined) {
    throw new CadreError(
      'CADRE_USAGE',
      `There is no cadre.config.yaml (or .yml, .json, .jsonc, .toml) in or above ${directory}.`,
    );
  }
  if (options.accept === undefined) {
    show(console, review, given);
    return exitCodes.succeeded;
  }
  if (options.accept !== review.sha256) {
    const again = console.command(...words(given));
    throw new CadreError('CADRE_USAGE', `${review.file} is not the file of that digest; read it again with ${again}.`);
  }
  await trustProject(review, { trustDirectory: neededTrustDirectory(host), clock: host });
  if (console.json) console.print(JSON.stringify({ ...reviewValue(review), state: 'trusted' }, null, 2));
  else {
    for (const line of setLines(review)) console.print(line);
    console.print(`Trusted: ${plainLine(review.file)}, until it changes or moves.`);
  }
  return exitCodes.succeeded;
}

export async function configUntrust(host: Host, given: string | undefined, options: SharedOptions): Promise<number> {
  const console = openConsole(host, options);
  const directory = resolve(host.directory, given ?? options.project ?? '.');
  const revoked = await revokeTrust(directory, neededTrustDirectory(host));
  if (console.json) console.print(JSON.stringify({ revoked }, null, 2));
  else if (revoked.length === 0) console.print(`Nothing in ${plainLine(directory)} was trusted.`);
  else for (const file of revoked) console.print(`No longer trusted: ${plainLine(file)}`);
  return exitCodes.succeeded;
}

async function printTrusted(host: Host, console: Console): Promise<number> {
  const trusted = (await listTrusted(neededTrustDirectory(host))).map(({ file, state, trustedAtMs }) => {
    return { file, state, trustedAt: new Date(trustedAtMs).toISOString() };
  });
  if (console.json) console.print(JSON.stringify(trusted, null, 2));
  else if (trusted.length === 0) console.print('No settings file is trusted.');
  const notes = { trusted: '', changed: ' (has changed, so it is not)', missing: ' (is gone)' };
  if (!console.json) {
    for (const { file, state, trustedAt } of trusted) {
      console.print(`${trustedAt.slice(0, 10)}  ${plainLine(file)}${notes[state]}`);
    }
  }
  return exitCodes.succeeded;
}

function show(console: Console, review: TrustReview, given: string | undefined): void {
  if (console.json) {
    console.print(JSON.stringify(reviewValue(review), null, 2));
    return;
  }
  if (review.sets.length === 0) {
    console.print(`${plainLine(review.file)} sets nothing that needs trust.`);
    return;
  }
  for (const line of setLines(review)) console.print(line);
  if (review.state === 'trusted') console.print('It is trusted.');
  else if (review.state === 'untrustable') console.print(`It can't be trusted: ${plainLine(review.reason)}.`);
  else {
    console.print(
      `It is not trusted: ${plainLine(review.reason)}. If you want all of the above, trust exactly this file with`,
    );
    console.print(`  ${console.command(...words(given), '--accept', review.sha256)}`);
  }
}

function setLines({ file, sets }: TrustReview): readonly string[] {
  if (sets.length === 0) return [];
  return [
    `${plainLine(file)} sets what only you may set:`,
    ...sets
      .map(({ path, value, origin }) => {
        const { line, column } = origin;
        return plainLine(`${line ?? 1}:${column ?? 1}  ${path} = ${JSON.stringify(value)}`);
      })
      .map((line) => `  ${line}`),
  ];
}

function reviewValue({ file, directory, state, reason, sha256, sets }: TrustReview): object {
  const values = sets.map(({ path, value, origin }) => ({ path, value, origin: describeOrigin(origin) }));
  return { file, directory, state, reason, sha256, sets: values };
}

function words(given: string | undefined): readonly string[] {
  return ['config', 'trust', ...(given === undefined ? [] : [given])];
}
