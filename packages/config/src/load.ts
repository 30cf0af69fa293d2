/** The order of the layers, and the one call that turns them into a value. */
import { resolve } from 'node:path';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { type ConfigWarning, type Environment, readEnvironmentLayer, variablesOf } from './env-layer.ts';
import { type ConfigProblem, invalidConfig } from './errors.ts';
import { type Explanation, explain, winningOrigin } from './explain.ts';
import { type FileLayer, problemAt, readFileLayer } from './file-layer.ts';
import { findFileIn, findFileUpward } from './find-file.ts';
import { readFlagLayer } from './flag-layer.ts';
import { addSchemaSettings, addSettings, type KnownSettings } from './known-settings.ts';
import { emptyLayer, type Layer, type LayerName } from './layer.ts';
import { find, mergeLayers } from './merge.ts';
import { objectLayer } from './object-layer.ts';
import { type Path, parsePath } from './path.ts';
import { frozenCopy } from './plain-data.ts';
import { nearest } from './suggest.ts';
import { validate } from './validate.ts';

export interface LoadOptions<Schema extends StandardSchemaV1> {
  /** Any Standard Schema: zod, valibot, arktype … What it returns becomes the value. */
  readonly schema: Schema;
  /** `cadre` looks for `cadre.config.yaml` and reads `CADRE_…`. Letters, digits and `-`. */
  readonly name: string;
  /** The lowest layer. */
  readonly defaults?: object;
  /** By name. Given any, the setting `profile` picks one, unless the option `profile` does. */
  readonly profiles?: Readonly<Record<string, object>>;
  readonly profile?: string | undefined;
  /** Holds `config.{yaml,yml,json,jsonc,toml}`. Without it there is no user layer. */
  readonly userDirectory?: string | undefined;
  /** Where the search for the project file starts, upward. @default process.cwd() */
  readonly cwd?: string;
  /** The last folder that is searched. @default the root of the file system */
  readonly topDirectory?: string | undefined;
  /** Read instead of searching; its name's ending tells the format (YAML where it is unknown). */
  readonly projectFile?: string | undefined;
  /** @default {} Nothing is read from the process's environment unless it is passed. */
  readonly environment?: Environment;
  /** @default the name in capitals and an underscore: `CADRE_` */
  readonly environmentPrefix?: string;
  /** Variables with the prefix that are no settings, and no cause for a warning. */
  readonly ignoredVariables?: readonly string[];
  /** Nested (`{ cache: { diskMaxBytes: 1 } }`) or with paths as keys (`{ 'cache.diskMaxBytes': 1 }`). */
  readonly flags?: Readonly<Record<string, unknown>>;
  /** @default 1 MiB. A longer file is a problem; so is a longer variable. */
  readonly maxFileBytes?: number;
  /** How deep settings may nest, 1 to 500. @default 64 */
  readonly maxDepth?: number;
}

export interface LoadedLayer {
  readonly name: LayerName;
  readonly origin: string;
  readonly present: boolean;
}

export interface LoadedConfig<T> {
  /** Deeply frozen (plain objects and lists). */
  readonly value: T;
  /** Low to high, those that set nothing included. */
  readonly layers: readonly LoadedLayer[];
  /** The chosen profile's name. */
  readonly profile: string | undefined;
  readonly warnings: readonly ConfigWarning[];
  /** Why the setting at `path` (`cache.diskMaxBytes`; empty: all) has its value. @throws {TypeError} for a text that is no path */
  explain(path?: string | Path): Explanation;
}

/**
 * Reads every layer, merges them (objects member by member, lists and all else replaced) and validates the result.
 * @throws {ConfigError} CONFIG_INVALID with every problem at once · CONFIG_AMBIGUOUS_FILE when two candidate files stand in
 *   one folder · CONFIG_UNREADABLE when a file is there and can't be read
 * @throws {TypeError} when an option is wrong, or two settings would share one environment variable
 * Cost: a few system calls per folder and one read per file, made synchronously; then the parser and the schema.
 */
export async function loadConfig<Schema extends StandardSchemaV1>(
  options: LoadOptions<Schema>,
): Promise<LoadedConfig<StandardSchemaV1.InferOutput<Schema>>> {
  const settings = resolveLoadOptions(options);
  const { schema, profiles, prefix, environment, maxDepth } = settings;
  const defaults = objectLayer('defaults', 'defaults', settings.defaults, maxDepth, { layer: 'defaults' });
  const profileLayers = Object.entries(profiles).map(([profile, value]) =>
    objectLayer('profile', profile, value, maxDepth, { layer: 'profile', profile }),
  );

  const known: KnownSettings = new Map();
  for (const layer of [defaults, ...profileLayers]) addSettings(known, layer.value);
  if (profileLayers.length > 0) addSettings(known, { profile: '' });
  let variables = variablesOf(prefix, known);
  let isSchemaKnown = false;
  const allKnown = (): KnownSettings => {
    if (!isSchemaKnown) addSchemaSettings(known, schema);
    isSchemaKnown = true;
    return known;
  };
  // Asking the schema takes longer than all the rest; most environments hold nothing of ours.
  if (Object.keys(environment).some((name) => name.startsWith(prefix))) variables = variablesOf(prefix, allKnown());

  const user = await fileLayer('user', settings.userFile, settings);
  const project = await fileLayer('project', settings.projectFile, settings);
  const fromEnvironment = readEnvironmentLayer(environment, prefix, variables, settings.ignoredVariables, settings);
  const flags = readFlagLayer(settings.flags, maxDepth);
  const problems = [user, project, fromEnvironment, flags].flatMap((source) => source.problems);

  const chosen = [defaults, user.layer, project.layer, fromEnvironment.layer, flags.layer];
  const profile = chooseProfile(settings.profile, profileLayers, chosen, problems);
  const profileLayer = profileLayers.find((layer) => layer.origin === profile) ?? emptyLayer('profile', 'none');
  const layers = chosen.toSpliced(1, 0, profileLayer);
  // What an unreadable file would have said is unknown, so the schema's view of the rest would mislead.
  if (!user.isReadable || !project.isReadable) throw invalidConfig(problems);

  const validated = await validate(schema, mergeLayers(layers.map((layer) => layer.value)), layers, allKnown);
  const reported = new Set(problems.map((problem) => problem.path));
  problems.push(...(validated.problems ?? []).filter((problem) => !reported.has(problem.path)));
  if (validated.problems !== undefined || problems.length > 0) throw invalidConfig(problems);

  const value = frozenCopy(validated.value);
  return Object.freeze({
    value,
    profile,
    layers: Object.freeze(layers.map(({ name, origin, present }) => Object.freeze({ name, origin, present }))),
    warnings: Object.freeze(fromEnvironment.warnings),
    explain: (path: string | Path = '') => explain(layers, value, typeof path === 'string' ? parsePath(path) : path),
  });
}

async function fileLayer(name: 'user' | 'project', file: string | undefined, limits: Resolved): Promise<FileLayer> {
  if (file === undefined) return { layer: emptyLayer(name, 'none'), problems: [], isReadable: true };
  return readFileLayer(name, file, limits);
}

function chooseProfile(
  option: string | undefined,
  profileLayers: readonly Layer[],
  layers: readonly Layer[],
  problems: ConfigProblem[],
): string | undefined {
  const names = profileLayers.map((layer) => layer.origin);
  if (option !== undefined || names.length === 0) return option;
  const found = find(mergeLayers(layers.map((layer) => layer.value)), ['profile']);
  if (found.type !== 'value' || found.value === null) return undefined;
  if (typeof found.value === 'string' && names.includes(found.value)) return found.value;
  const near = typeof found.value === 'string' ? nearest(found.value, names) : undefined;
  const message = `is not a profile: ${JSON.stringify(found.value)}; there are ${names.join(', ')}`;
  const suggestion = near === undefined ? undefined : `did you mean "${near}"?`;
  problems.push(problemAt(winningOrigin(layers, ['profile'], 'value'), 'profile', message, suggestion));
  return undefined;
}

type Resolved = ReturnType<typeof resolveLoadOptions>;

function resolveLoadOptions(options: LoadOptions<StandardSchemaV1>) {
  const { schema, name, profile, profiles = {}, cwd = process.cwd(), userDirectory, topDirectory } = options;
  if (!/^[a-z][a-z\d-]*$/i.test(name)) {
    throw new TypeError(`Expected \`name\` to be letters, digits and \`-\`, got \`${name}\``);
  }
  if (typeof schema?.['~standard']?.validate !== 'function') {
    throw new TypeError('Expected `schema` to be a Standard Schema (an object with `~standard`)');
  }
  if (profile !== undefined && !Object.hasOwn(profiles, profile)) {
    const names = Object.keys(profiles);
    throw new TypeError(
      `Expected \`profile\` to be one of ${names.join(', ') || '(no profiles are given)'}, got \`${profile}\``,
    );
  }
  const maxFileBytes = atLeastOne('maxFileBytes', options.maxFileBytes ?? 1024 * 1024, Number.MAX_SAFE_INTEGER);
  const { projectFile } = options;
  return Object.freeze({
    schema,
    profile,
    profiles,
    defaults: options.defaults ?? {},
    userFile: userDirectory === undefined ? undefined : findFileIn(resolve(userDirectory), 'config'),
    projectFile:
      projectFile === undefined ? findFileUpward(cwd, `${name}.config`, topDirectory) : resolve(cwd, projectFile),
    environment: options.environment ?? {},
    prefix: options.environmentPrefix ?? `${name.replaceAll('-', '_').toUpperCase()}_`,
    ignoredVariables: options.ignoredVariables ?? [],
    flags: options.flags ?? {},
    maxFileBytes,
    maxDepth: atLeastOne('maxDepth', options.maxDepth ?? 64, 500),
  });
}

function atLeastOne(option: string, value: number, maximum: number): number {
  if (Number.isInteger(value) && value >= 1 && value <= maximum) return value;
  throw new RangeError(
    `Expected \`${option}\` to be an integer from 1 to ${maximum}, got \`${value}\` (${typeof value})`,
  );
}
