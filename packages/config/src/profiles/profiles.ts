import { balanced } from './balanced.ts';
import { ci } from './ci.ts';
import { highPerformance } from './high-performance.ts';
import type { ProfileSettings } from './profile.ts';

/** The shipped profiles by the name a person types. */
export const profiles: Readonly<Record<'balanced' | 'high-performance' | 'ci', ProfileSettings>> = Object.freeze({
  balanced,
  'high-performance': highPerformance,
  ci,
});
