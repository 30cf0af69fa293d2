/** The settings of `cadre`: what there is to set, the defaults, and the layers they come from. */
import { defaultUserDirectory, type LoadedConfig, loadConfig, type ProfileSettings, profiles } from '@cadre/config';
import { z } from 'zod';
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
});

export type Settings = z.infer<typeof settingsSchema>;

export interface SettingsRequest {
  /** The folder that holds `.cadre`: the search for `cadre.config.*` goes up from here. */
  readonly directory: string;
  readonly profile?: string | undefined;
  readonly flags?: { readonly concurrency?: number | undefined };
}

/** @throws {ConfigError} CONFIG_INVALID and others, with every problem at once. */
export function loadSettings(host: Host, request: SettingsRequest): Promise<LoadedConfig<Settings>> {
  return loadConfig({
    name: 'cadre',
    schema: settingsSchema,
    defaults: settingsOf(profiles.balanced),
    profiles: Object.fromEntries(Object.entries(profiles).map(([name, profile]) => [name, settingsOf(profile)])),
    userDirectory: defaultUserDirectory('cadre', host.environment, host.platform),
    cwd: request.directory,
    environment: host.environment,
    ignoredVariables: ['CADRE_DEBUG', 'CADRE_COMMAND_NAME', 'CADRE_RUN_MARKER'],
    flags: { concurrency: request.flags?.concurrency, profile: request.profile },
  });
}

/** Of a shipped profile, what is a setting here. */
function settingsOf({ concurrency, timeoutMs, graceMs, cache }: ProfileSettings) {
  return { concurrency, timeoutMs, graceMs, cache };
}
