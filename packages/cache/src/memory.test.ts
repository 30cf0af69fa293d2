import { describe, test } from 'vitest';
import { memoryStore } from './memory.ts';
import { storeContract } from './testing.ts';

describe('memoryStore', () => {
  storeContract({ test, open: () => memoryStore({ maxBytes: 2_000_000, maxEntryBytes: 100_400 }) });
});
