/**
 * Read and write JSON lines: fast, in bounded memory, crash-safe.
 *
 * Reading is `readJsonl` (batches), `readJsonlValues` (one at a time), `followJsonl` (a growing file) and
 * `JsonlDecoder` (bytes pushed in by hand); writing is `openJsonlLog` (durable) and `encodeJsonl` (one line of text). `checkJsonl` looks for damage, `repairJsonl` takes it out.
 */
export { type CheckOptions, checkJsonl, type JsonlCheck, type JsonlDamage } from './check.ts';
export { type DecodeOptions, JsonlDecoder } from './decode.ts';
export { encodeJsonl } from './encode.ts';
export {
  type InvalidLine,
  type InvalidLineReason,
  JsonlError,
  type JsonlErrorCode,
  JsonlInvalidLineError,
  JsonlLogLockedError,
} from './errors.ts';
export { type FileIdentity, type FileOperations, nodeFileOperations } from './file-ops.ts';
export { type FollowOptions, followJsonl, type JsonlFollower } from './follow.ts';
export { type JsonlLog, openJsonlLog } from './log.ts';
export type { JsonlLogOptions } from './log-options.ts';
export { type JsonlPart, jsonlParts } from './parts.ts';
export {
  type JsonlEntry,
  type JsonlReading,
  type JsonlSource,
  type ReadOptions,
  readJsonl,
  readJsonlEntries,
  readJsonlValues,
} from './read.ts';
export type { RecoveredTail } from './recover.ts';
export { type JsonlRepair, type RepairOptions, repairJsonl } from './repair.ts';
export type { LineFilter } from './select.ts';
