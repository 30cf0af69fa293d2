import { describe, expect, test } from 'vitest';
import { defaultUserDirectory } from './user-directory.ts';

describe('defaultUserDirectory', () => {
  test.for([
    ['linux', { XDG_CONFIG_HOME: '/x', HOME: '/home/a' }, '/x/cadre'],
    ['linux', { XDG_CONFIG_HOME: 'relative', HOME: '/home/a' }, '/home/a/.config/cadre'],
    ['darwin', { HOME: '/Users/a' }, '/Users/a/.config/cadre'],
    ['linux', {}, undefined],
    ['win32', { APPDATA: 'C:\\a', HOME: '/home/a' }, 'C:\\a\\cadre'],
    ['win32', {}, undefined],
  ] as const)('on %s with %j is %s', ([platform, environment, expected]) => {
    expect(defaultUserDirectory('cadre', environment, platform)).toBe(expected);
  });
});
