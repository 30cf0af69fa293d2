/** The shipped profiles by the name a person types, from the most to the least that is used of a machine. */
import { balanced } from './balanced.ts';
import { ci } from './ci.ts';
import { cpuConstrained } from './cpu-constrained.ts';
import { highPerformance } from './high-performance.ts';
import { lowCost } from './low-cost.ts';
import { memoryConstrained } from './memory-constrained.ts';
import type { Profile, ProfileSettings } from './profile.ts';

/** The profiles that are shipped; each says what machine and intent it is for. */
export type ProfileName =
  | 'high-performance'
  | 'balanced'
  | 'memory-constrained'
  | 'cpu-constrained'
  | 'ci'
  | 'low-cost';

/** With purpose and reasons, to be shown to people. */
export const describedProfiles: Readonly<Record<ProfileName, Profile>> = Object.freeze({
  'high-performance': highPerformance,
  balanced,
  'memory-constrained': memoryConstrained,
  'cpu-constrained': cpuConstrained,
  ci,
  'low-cost': lowCost,
});

/** As plain data: the option `profiles` of `loadConfig`. */
export const profiles: Readonly<Record<ProfileName, ProfileSettings>> = Object.freeze({
  'high-performance': highPerformance.settings,
  balanced: balanced.settings,
  'memory-constrained': memoryConstrained.settings,
  'cpu-constrained': cpuConstrained.settings,
  ci: ci.settings,
  'low-cost': lowCost.settings,
});
