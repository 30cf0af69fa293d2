/** The exports map is the list of doors: each leads to a source, and what is published is the same list. */
import { posix } from 'node:path';
import type { Door, Room, Workspace } from './workspace.ts';

export function doorsLeadToSources(workspace: Workspace): readonly string[] {
  return workspace.rooms.flatMap((room) => [
    ...Object.entries(room.manifest.exports ?? {}).flatMap(([name, door]) => {
      const source = typeof door === 'string' ? door : door['@cadre/source'];
      if (source === undefined) return [`${room.folder}/package.json: door ${name} has no '@cadre/source'`];
      if (!leadsSomewhere(room, source))
        return [`${room.folder}/package.json: door ${name} leads to no file: ${source}`];
      return typeof door === 'string' || room.manifest.private === true ? [] : builtElsewhere(room, name, source, door);
    }),
    ...Object.entries(room.manifest.bin ?? {}).flatMap(([name, file]) => {
      const source = file.replace('./dist/', './src/').replace(/\.js$/, '.ts');
      return leadsSomewhere(room, source)
        ? []
        : [`${room.folder}/package.json: program ${name} has no source ${source}`];
    }),
  ]);
}

/** `publishConfig.exports` is `exports` without the condition that leads to the sources. */
export function publishedDoorsAreTheSame(workspace: Workspace): readonly string[] {
  return workspace.rooms.flatMap(({ folder, manifest }) => {
    const { exports, publishConfig } = manifest;
    const sourced = Object.values(exports ?? {}).some((door) => typeof door !== 'string');
    if (manifest.private === true || !sourced) return [];
    const published = Object.entries(exports ?? {}).map(([name, door]) => [name, withoutSource(door)]);
    const expected = JSON.stringify(Object.fromEntries(published));
    if (JSON.stringify(publishConfig?.exports) === expected) return [];
    return [`${folder}/package.json: publishConfig.exports must be ${expected}`];
  });
}

function leadsSomewhere(room: Room, path: string): boolean {
  const [before = '', after] = posix.join(room.folder, path).split(/\*+/);
  if (after === undefined) return room.files.includes(before);
  return room.files.some((file) => file.startsWith(before) && file.endsWith(after));
}

function builtElsewhere(room: Room, name: string, source: string, door: Exclude<Door, string>): readonly string[] {
  const built = source.replace('./src/', './dist/').replace(/\.ts$/, '');
  return (
    [
      ['types', `${built}.d.ts`],
      ['default', `${built}.js`],
    ] as const
  ).flatMap(([condition, expected]) =>
    door[condition] === expected
      ? []
      : [`${room.folder}/package.json: door ${name}: '${condition}' must be ${expected}, which ${source} is built to`],
  );
}

function withoutSource(door: Door): Door {
  if (typeof door === 'string') return door;
  const { '@cadre/source': _source, ...published } = door;
  return published;
}
