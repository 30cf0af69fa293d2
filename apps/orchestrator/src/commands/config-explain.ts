/** `cadre config explain`: what a setting is, who set it, and what that hid. */
import { resolve } from 'node:path';
import {
  describedProfiles,
  describeOrigin,
  type Explanation,
  type LoadedLayer,
  type Origin,
  variableName,
} from '@cadre/config';
import { openConsole, type SharedOptions } from '../console.ts';
import { CadreError } from '../errors.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Host } from '../host.ts';
import { loadSettings } from '../settings.ts';
import { plainLine, plainLines } from '../view/plain-text.ts';

export interface ConfigExplainOptions extends SharedOptions {
  readonly profile?: string;
  readonly showSecrets?: boolean;
}

export async function configExplain(
  host: Host,
  path: string | undefined,
  options: ConfigExplainOptions,
): Promise<number> {
  const console = openConsole(host, options);
  const directory = resolve(host.directory, options.project ?? '.');
  const settings = await loadSettings(host, { directory, profile: options.profile });
  for (const { message, suggestion } of settings.warnings)
    console.warn([message, suggestion].filter(Boolean).join('; '));
  const explanation = explain((at) => settings.explain(at, { showSecrets: options.showSecrets ?? false }), path);
  if (path !== undefined && explanation.value === undefined && explanation.setBy === undefined) {
    const known = leaves(settings.explain()).map((setting) => setting.path);
    throw new CadreError('CADRE_USAGE', `There is no setting ${path}; there are ${known.join(', ')}.`);
  }
  if (console.json) console.print(JSON.stringify(explanationValue(explanation), null, 2));
  else for (const leaf of leaves(explanation)) for (const line of leafLines(leaf)) console.print(line);
  if (!console.json && path === undefined) for (const line of layerLines(settings.layers)) console.print(line);
  return exitCodes.succeeded;
}

function leafLines(leaf: Explanation): readonly string[] {
  const reason = reasonOf(leaf.path, leaf.setBy);
  const [first = '', second = '', ...rest] = plainLines(String(leaf));
  return [first, reason === undefined ? second : `${second}: ${reason}`, ...rest];
}

/** The defaults are those of the profile `balanced`. */
function reasonOf(path: string, setBy: Origin | undefined): string | undefined {
  const name = setBy?.layer === 'defaults' ? 'balanced' : setBy?.profile;
  const reasons = Object.entries(describedProfiles).find(([each]) => each === name)?.[1].reasons;
  return Object.entries(reasons ?? {}).find(([each]) => each === path)?.[1];
}

function layerLines(layers: readonly LoadedLayer[]): readonly string[] {
  const lines = layers.toReversed().map(({ name, origin, present }) => {
    return `  ${name.padEnd(11)}  ${present ? plainLine(origin) : `nothing (${plainLine(origin)})`}`;
  });
  return ['', 'Read, the highest first:', ...lines];
}

function explain(ask: (path?: string) => Explanation, path: string | undefined): Explanation {
  try {
    return ask(path);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new CadreError('CADRE_USAGE', `${path} is no path of a setting: ${error.message}`, { cause: error });
  }
}

function explanationValue({ path, value, setBy, hid, refused, entries }: Explanation): object {
  return {
    path,
    value: value ?? null,
    setBy: setBy === undefined ? null : describeOrigin(setBy),
    origin: setBy ?? null,
    reason: reasonOf(path, setBy) ?? null,
    variable: path === '' ? null : variableName('CADRE_', path.split('.')),
    hid: hid.map((each) => ({ value: each.value ?? null, origin: describeOrigin(each.origin) })),
    refused: refused.map((each) => ({
      value: each.value ?? null,
      origin: describeOrigin(each.origin),
      reason: each.reason,
    })),
    entries: entries.map(explanationValue),
  };
}

function leaves(explanation: Explanation): readonly Explanation[] {
  return explanation.entries.length === 0 ? [explanation] : explanation.entries.flatMap(leaves);
}
