import { describe, expect, test } from 'vitest';
import { describedProfiles, profiles } from './profiles.ts';

describe('profiles', () => {
  test('are the six that the architecture names, each value with a reason of its own', () => {
    expect(Object.keys(profiles)).toEqual([
      'high-performance',
      'balanced',
      'memory-constrained',
      'cpu-constrained',
      'ci',
      'low-cost',
    ]);
    for (const { purpose, settings, reasons } of Object.values(describedProfiles)) {
      const paths = Object.entries(settings).flatMap(([key, value]) =>
        typeof value === 'object' ? Object.keys(value).map((inner) => `${key}.${inner}`) : [key],
      );
      expect(Object.keys(reasons).sort()).toEqual(paths.sort());
      expect(new Set([purpose, ...Object.values(reasons)]).size).toBe(paths.length + 1);
    }
  });

  test('differ from each other in what they are named after', () => {
    const { balanced } = profiles;
    expect(profiles['memory-constrained'].cache.memoryMaxBytes).toBeLessThan(balanced.cache.memoryMaxBytes);
    expect(profiles['memory-constrained'].concurrency).toBeLessThan(balanced.concurrency);
    expect(profiles['cpu-constrained'].concurrency).toBeLessThan(balanced.concurrency);
    expect(profiles['high-performance'].concurrency).toBeGreaterThan(balanced.concurrency);
    expect(profiles['low-cost'].cache.diskMaxBytes).toBeGreaterThan(balanced.cache.diskMaxBytes);
    expect(profiles.ci.graceMs).toBeLessThan(balanced.graceMs);
  });
});
