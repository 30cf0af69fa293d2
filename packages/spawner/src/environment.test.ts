import { describe, expect, test } from 'vitest';
import { childEnvironment, defaultInheritedEnvironment } from './environment.ts';

describe('childEnvironment', () => {
  const parent = {
    PATH: '/bin',
    HOME: '/home/a',
    LC_ALL: 'C',
    API_KEY: 'secret',
    LD_PRELOAD: '/x.so',
    UNSET: undefined,
  };

  test('passes on what the list names and nothing else', () => {
    const environment = childEnvironment(parent, defaultInheritedEnvironment, {}, undefined, 'id1');
    expect({ ...environment }).toEqual({ PATH: '/bin', HOME: '/home/a', LC_ALL: 'C', SPAWNER_LINEAGE: 'id1' });
  });

  test('puts what is set over what is inherited, and the marker over both', () => {
    const environment = childEnvironment(
      parent,
      ['PATH'],
      { PATH: '/other', M: '1' },
      { name: 'M', value: '2' },
      'id1',
    );
    expect({ ...environment }).toEqual({ PATH: '/other', M: '2', SPAWNER_LINEAGE: 'id1' });
  });

  test('adds its own id to the ids it descends from, up to a bound', () => {
    const ids = Array.from({ length: 40 }, (_, index) => `id${index}`);
    const environment = childEnvironment({ SPAWNER_LINEAGE: ids.join('.') }, [], {}, undefined, 'own');
    const lineage = environment.SPAWNER_LINEAGE?.split('.') ?? [];
    expect(lineage).toHaveLength(32);
    expect(lineage.slice(-2)).toEqual(['id39', 'own']);
  });

  test('takes no name for a prototype', () => {
    const environment = childEnvironment({}, [], JSON.parse('{"__proto__":"x"}'), undefined, 'id1');
    expect(Object.keys(environment)).toEqual(['__proto__', 'SPAWNER_LINEAGE']);
  });
});
