/** The order of the layers, and the one call that turns them into a value. */
import { join } from 'node:path';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { readEnvironmentLayer, variablesOf } from './env-layer.ts';
import { type ConfigProblem, invalidConfig } from './errors.ts';
import { type Explanation, explain, type RefusedValue, winningOrigin } from './explain.ts';
import { type FileLayer, problemAt, readFileLayer } from './file-layer.ts';
import { findFileIn, findFileUpward } from './find-file.ts';
import { readFlagLayer } from './flag-layer.ts';
import { addSchemaSettings, addSettings, type KnownSettings } from './known-settings.ts';
import { describeOrigin, emptyLayer, type Layer, type LayerName } from './layer.ts';
import { find, mergeLayers } from './merge.ts';
import { objectLayer } from './object-layer.ts';
import { type LoadOptions, type ResolvedOptions, resolveLoadOptions } from './options.ts';
import { formatPath, type Path, parsePath } from './path.ts';
import { frozenCopy } from './plain-data.ts';
import { ProblemList } from './problem-list.ts';
import { secretSettings } from './secret-settings.ts';
import { nearest } from './suggest.ts';
import { describeRefusal, type ProjectTrust, refusalAdvice, trustOf } from './trust.ts';
import { takeUserOnly } from './user-only.ts';
import { validate } from './validate.ts';
import type { ConfigWarning } from './warning.ts';

/** One layer as it was found: where it came from, and whether it was there. */
export interface LoadedLayer {
  readonly name: LayerName;
  readonly origin: string;
  readonly present: boolean;
}

export interface ExplainOptions {
  /** As they are. @default false */
  readonly showSecrets?: boolean;
}

export interface LoadedConfig<T> {
  /** Deeply frozen (plain objects and lists). */
  readonly value: T;
  /** Low to high, those that set nothing included. */
  readonly layers: readonly LoadedLayer[];
  /** The chosen profile's name. */
  readonly profile: string | undefined;
  /** Whether the project file may set what only the user may; `undefined` when it doesn't try, or when there is none. */
  readonly trust: ProjectTrust | undefined;
  readonly warnings: readonly ConfigWarning[];
  /**
   * Why the setting at `path` (`cache.diskMaxBytes`; empty: all) has its value. Secrets are shown as `***`: what the option
   * `secret` or the schema names, text whose name, or one around it, ends like `password`, `token`, `secret` or `apiKey`, and
   * everything in maps named `environment` or `env`.
   * @throws {TypeError} for a text that is no path
   */
  explain(path?: string | Path, options?: ExplainOptions): Explanation;
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
  const { schema, jsonSchema, profiles, prefix, environment, maxDepth } = settings;
  const secrets = secretSettings(settings.secret, schema, jsonSchema);
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
    if (!isSchemaKnown) addSchemaSettings(known, schema, jsonSchema);
    isSchemaKnown = true;
    return known;
  };
  // Asking the schema takes longer than all the rest; most environments hold nothing of ours.
  if (Object.keys(environment).some((name) => name.startsWith(prefix))) variables = variablesOf(prefix, allKnown());

  const user = await fileLayer('user', userFileOf(settings), settings);
  const readProject = await fileLayer('project', projectFileOf(settings), settings);
  const { project, refused, trust } = restrict(readProject, user.layer, settings);
  const fromEnvironment = readEnvironmentLayer(environment, prefix, variables, settings.ignoredVariables, {
    ...settings,
    isSecret: secrets.concerns,
  });
  const flags = readFlagLayer(settings.flags, maxDepth);
  const problems = new ProblemList();
  for (const source of [user, readProject, fromEnvironment, flags]) problems.addAll(source.problems);

  const chosen = [defaults, user.layer, project, fromEnvironment.layer, flags.layer];
  const profile = chooseProfile(settings.profile, profileLayers, chosen, problems);
  const profileLayer =
    profileLayers.find((layer) => layer.origin === profile) ?? emptyLayer('profile', 'no profile chosen');
  const layers = chosen.toSpliced(1, 0, profileLayer);
  // What an unreadable file would have said is unknown, so the schema's view of the rest would mislead.
  if (!user.isReadable || !readProject.isReadable) throw invalidConfig(problems);

  const reported = new Set(problems.listed.map((problem) => problem.path));
  const merged = mergeLayers(layers.map((layer) => layer.value));
  const validated = await validate(schema, merged, layers, allKnown, reported);
  if (validated.problems !== undefined) problems.addAll(validated.problems);
  const code = problems.isEmpty ? 'CONFIG_UNTRUSTED' : 'CONFIG_INVALID';
  if (settings.onUntrusted === 'fail') for (const each of refused) problems.add(() => untrustedProblem(each, trust));
  if (validated.problems !== undefined || !problems.isEmpty) throw invalidConfig(problems, code);

  const value = frozenCopy(validated.value);
  return Object.freeze({
    value,
    profile,
    layers: Object.freeze(layers.map(({ name, origin, present }) => Object.freeze({ name, origin, present }))),
    trust,
    warnings: Object.freeze([...fromEnvironment.warnings, ...refused.map((each) => untrustedWarning(each, trust))]),
    explain(path: string | Path = '', { showSecrets = false }: ExplainOptions = {}) {
      const show = showSecrets ? (each: unknown) => each : secrets.mask;
      return explain(layers, refused, value, typeof path === 'string' ? parsePath(path) : path, show);
    },
  });
}

function userFileOf({ userDirectory }: ResolvedOptions): string | undefined {
  return userDirectory === undefined ? undefined : findFileIn(userDirectory, 'config');
}

function projectFileOf({ projectFile, cwd, projectStem, topDirectory }: ResolvedOptions): string | undefined {
  return projectFile ?? findFileUpward(cwd, projectStem, topDirectory);
}

async function fileLayer(
  name: 'user' | 'project',
  file: string | undefined,
  settings: ResolvedOptions,
): Promise<FileLayer> {
  if (file !== undefined) return readFileLayer(name, file, settings);
  const { userDirectory, cwd, projectStem } = settings;
  const userOrigin = userDirectory === undefined ? 'no user directory' : `no ${join(userDirectory, 'config.*')}`;
  const origin = name === 'user' ? userOrigin : `no ${projectStem}.* in ${cwd} or above`;
  return { layer: emptyLayer(name, origin), problems: new ProblemList(), isReadable: true, sha256: () => '' };
}

interface RestrictedProject {
  readonly project: Layer;
  readonly refused: readonly RefusedValue[];
  readonly trust: ProjectTrust | undefined;
}

/** Takes out of the project's layer what only the user may set, unless the user trusts these bytes. */
function restrict({ layer, sha256 }: FileLayer, user: Layer, settings: ResolvedOptions): RestrictedProject {
  const { kept, taken } = takeUserOnly(layer.value, settings.userOnly, user.value);
  if (taken.length === 0) return { project: layer, refused: [], trust: undefined };
  const trust = Object.freeze(trustOf(layer.origin, sha256(), settings.trustDirectory));
  if (trust.state === 'trusted') return { project: layer, refused: [], trust };
  const reason = describeRefusal(layer.origin, trust);
  const refused = taken.map(({ path, value }) =>
    Object.freeze({ path, value: frozenCopy(value), origin: layer.locate(path, 'value'), reason }),
  );
  return { project: { ...layer, value: kept }, refused, trust };
}

function untrustedProblem({ path, origin, reason }: RefusedValue, trust: ProjectTrust | undefined): ConfigProblem {
  return problemAt(origin, formatPath(path), reason, trust && refusalAdvice(trust));
}

function untrustedWarning({ path, origin, reason }: RefusedValue, trust: ProjectTrust | undefined): ConfigWarning {
  return Object.freeze({
    type: 'untrusted',
    message: `${describeOrigin(origin)}  ${formatPath(path)} was ignored: ${reason}`,
    suggestion: trust && refusalAdvice(trust),
    variable: undefined,
    path: formatPath(path),
    file: origin.file,
  });
}

function chooseProfile(
  option: string | undefined,
  profileLayers: readonly Layer[],
  layers: readonly Layer[],
  problems: ProblemList,
): string | undefined {
  const names = profileLayers.map((layer) => layer.origin);
  if (option !== undefined || names.length === 0) return option;
  const found = find(mergeLayers(layers.map((layer) => layer.value)), ['profile']);
  if (found.type !== 'value' || found.value === null) return undefined;
  if (typeof found.value === 'string' && names.includes(found.value)) return found.value;
  const near = typeof found.value === 'string' ? nearest(found.value, names) : undefined;
  const message = `is not a profile: ${JSON.stringify(found.value)}; there are ${names.join(', ')}`;
  const suggestion = near === undefined ? undefined : `did you mean "${near}"?`;
  problems.add(() => problemAt(winningOrigin(layers, ['profile'], 'value'), 'profile', message, suggestion));
  return undefined;
}
