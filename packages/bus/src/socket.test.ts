import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { openSocketHub, openSocketTransport, type SocketHub } from './socket.ts';
import { transportContract } from './testing.ts';

let folder: string;
let count = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cadre-bus-'));
});

afterAll(() => rm(folder, { recursive: true }));

function newPath(): string {
  return join(folder, `${count++}.sock`);
}

describe('socketTransport', () => {
  let hub: SocketHub;
  const openHub = async () => {
    hub = await openSocketHub({ path: newPath() });
    return hub.path;
  };

  transportContract({
    test,
    open: async () => openSocketTransport({ path: await openHub() }),
    openPair: async () => {
      const path = await openHub();
      return [await openSocketTransport({ path }), await openSocketTransport({ path })];
    },
    cleanUp: () => hub.close(),
  });
});

describe('SocketHub.connect', () => {
  let hub: SocketHub;
  transportContract({
    test,
    open: async () => {
      hub = await openSocketHub({ path: newPath() });
      return hub.connect();
    },
    openPair: async () => {
      hub = await openSocketHub({ path: newPath() });
      return [await hub.connect(), await openSocketTransport({ path: hub.path })];
    },
    cleanUp: () => hub.close(),
  });
});
