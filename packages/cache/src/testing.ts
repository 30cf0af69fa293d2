/** Memory, disk and remote tiers behind one getOrSet: every entry sealed, one computation per key. */
export {};
