/** What loading takes, checked once. */
import { resolve } from 'node:path';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { Environment } from './env-layer.ts';
import { parsePattern } from './user-only.ts';

export interface LoadOptions<Schema extends StandardSchemaV1> {
  /** Any Standard Schema: zod, valibot, arktype … What it returns becomes the value. */
  readonly schema: Schema;
  /** JSON Schema of the same settings, for a `schema` that can't describe itself: whence names and kinds are known. */
  readonly jsonSchema?: object | undefined;
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
  /**
   * What a project file may set only once the user has trusted it: secrets, base URLs, commands. Paths, in which `*` stands
   * for any key: `api.baseUrl`, `agents.*.command`. With all that is below them. @default none
   */
  readonly userOnly?: readonly string[];
  /**
   * What `explain` and messages don't show, as `userOnly` names settings: `api.account`, `services.*.pin`. Beside what
   * the schema marks (`writeOnly`, or the format `password`) and what is named like a secret, see {@link LoadedConfig}.
   * @default none
   */
  readonly secret?: readonly string[];
  /** Where trust is recorded, in the user's own state folder. Without it no project file is trusted. */
  readonly trustDirectory?: string | undefined;
  /** Whether such a setting of an untrusted file is left out, with a warning, or fails the load. @default 'ignore' */
  readonly onUntrusted?: 'ignore' | 'fail';
  /** Nested (`{ cache: { diskMaxBytes: 1 } }`) or with paths as keys (`{ 'cache.diskMaxBytes': 1 }`). */
  readonly flags?: Readonly<Record<string, unknown>>;
  /** @default 256 KiB, which any text takes less than 200 ms to refuse. A longer file is a problem; so is a longer variable. */
  readonly maxFileBytes?: number;
  /** How deep settings may nest, 1 to 500. @default 64 */
  readonly maxDepth?: number;
}

export type ResolvedOptions = ReturnType<typeof resolveLoadOptions>;

/** Touches nothing. @throws {TypeError} or {RangeError} for a wrong option */
export function resolveLoadOptions(options: LoadOptions<StandardSchemaV1>) {
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
  const maxFileBytes = atLeastOne('maxFileBytes', options.maxFileBytes ?? 256 * 1024, Number.MAX_SAFE_INTEGER);
  const { projectFile, trustDirectory, onUntrusted = 'ignore' } = options;
  if (onUntrusted !== 'ignore' && onUntrusted !== 'fail') {
    throw new TypeError(`Expected \`onUntrusted\` to be 'ignore' or 'fail', got \`${onUntrusted}\``);
  }
  return Object.freeze({
    schema,
    profile,
    profiles,
    defaults: options.defaults ?? {},
    jsonSchema: options.jsonSchema,
    userDirectory: userDirectory === undefined ? undefined : resolve(userDirectory),
    cwd: resolve(cwd),
    topDirectory: topDirectory === undefined ? undefined : resolve(topDirectory),
    projectStem: `${name}.config`,
    projectFile: projectFile === undefined ? undefined : resolve(cwd, projectFile),
    userOnly: (options.userOnly ?? []).map((text) => parsePattern('userOnly', text)),
    secret: (options.secret ?? []).map((text) => parsePattern('secret', text)),
    trustDirectory: trustDirectory === undefined ? undefined : resolve(trustDirectory),
    onUntrusted,
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
