/** The settings of `cadre`: what there is to set, the defaults, and the layers they come from. */
import { join } from 'node:path';
import {
  defaultUserDirectory,
  type LoadedConfig,
  loadConfig,
  profiles,
  reviewProject,
  type TrustReview,
} from '@cadre/config';
import { z } from 'zod';
import { commandName } from './command-name.ts';
import { CadreError } from './errors.ts';
import { stateFolder } from './folders.ts';
import type { Host } from './host.ts';

const settingsSchema = z.strictObject({
  profile: z.string().optional(),
  concurrency: z.int().min(1).max(10_000),
  timeoutMs: z.number().positive(),
  graceMs: z.number().min(0),
  cache: z.strictObject({
    memoryMaxBytes: z.int().min(0),
    diskMaxBytes: z.int().min(0),
  }),
  /** For every agent, below what the workflow gives it. */
  environment: z.record(z.string(), z.string()),
});

export type Settings = z.infer<typeof settingsSchema>;

export interface SettingsRequest {
  /** The folder that holds `.cadre`: the search for `cadre.config.*` goes up from here. */
  readonly directory: string;
  readonly profile?: string | undefined;
  readonly flags?: { readonly concurrency?: number | undefined };
}

/** What a project file sets only once the user trusts it: variables can hold keys, move base URLs, and name programs to run. */
const userOnly = ['environment'];

/**
 * The warnings say what to type.
 * @throws {ConfigError} CONFIG_INVALID and others, with every problem at once.
 */
export async function loadSettings(host: Host, request: SettingsRequest): Promise<LoadedConfig<Settings>> {
  const loaded = await loadConfig({
    name: 'cadre',
    schema: settingsSchema,
    defaults: { ...profiles.balanced, environment: {} },
    profiles,
    userDirectory: defaultUserDirectory('cadre', host.environment, host.platform),
    cwd: request.directory,
    environment: host.environment,
    ignoredVariables: ['CADRE_DEBUG', 'CADRE_COMMAND_NAME', 'CADRE_RUN_MARKER'],
    flags: { concurrency: request.flags?.concurrency, profile: request.profile },
    userOnly,
    trustDirectory: trustDirectory(host),
  });
  const suggestion = `see what it would set with \`${commandName(host)} config trust\``;
  const warnings = loaded.warnings.map((warning) =>
    warning.type === 'untrusted' && loaded.trust?.state !== 'untrustable' ? { ...warning, suggestion } : warning,
  );
  return { ...loaded, warnings };
}

/** What the project file found from `directory` would set if it were trusted; undefined without such a file. */
export function reviewSettings(host: Host, directory: string): Promise<TrustReview | undefined> {
  return reviewProject({ name: 'cadre', cwd: directory, userOnly, trustDirectory: neededTrustDirectory(host) });
}

/** @throws {CadreError} CADRE_USAGE when the environment names no home */
export function neededTrustDirectory(host: Host): string {
  const directory = trustDirectory(host);
  if (directory !== undefined) return directory;
  throw new CadreError('CADRE_USAGE', 'Trust is kept in your own folder; set HOME or XDG_STATE_HOME to say where.');
}

function trustDirectory(host: Host): string | undefined {
  const folder = stateFolder(host);
  return folder === undefined ? undefined : join(folder, 'trusted');
}
