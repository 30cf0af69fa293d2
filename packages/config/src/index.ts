/** Layers of files, environment and flags into one validated value that can explain itself. */
export type { ConfigWarning, Environment } from './env-layer.ts';
export { variableName } from './env-layer.ts';
export type { ConfigErrorCode, ConfigProblem } from './errors.ts';
export { ConfigError } from './errors.ts';
export type { Explanation, SetValue } from './explain.ts';
export type { LayerName, Origin } from './layer.ts';
export { describeOrigin } from './layer.ts';
export type { LoadedConfig, LoadedLayer, LoadOptions } from './load.ts';
export { loadConfig } from './load.ts';
export type { Path } from './path.ts';
export { formatPath, parsePath } from './path.ts';
export type { ProfileSettings } from './profiles/profile.ts';
export { profiles } from './profiles/profiles.ts';
export { defaultUserDirectory } from './user-directory.ts';
