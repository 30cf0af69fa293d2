import { expect, test } from 'vitest';
import { parseLockfile } from './lockfile.ts';

test('parseLockfile reads the packages that pnpm pins, each once', () => {
  const text = `lockfileVersion: '9.0'

importers:

  .:
    dependencies:
      a:
        version: 1.0.0

packages:

  '@s/a@1.0.0':
    resolution: {integrity: x}

  a@0.3.1:
    resolution: {integrity: x}

  a@0.4.0(peer@1.0.0):
    resolution: {integrity: x}

snapshots:

  a@0.3.1: {}
`;
  expect(parseLockfile('pnpm-lock.yaml', text)).toEqual({
    path: 'pnpm-lock.yaml',
    manager: 'pnpm',
    packages: 3,
    repeated: [{ name: 'a', versions: ['0.3.1', '0.4.0'] }],
  });
});
