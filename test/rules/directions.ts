/** Who may import whom, and only through doors. */
import { doorSources, type Manifest, type Room, reachableFrom, resolveImport, type Workspace } from './workspace.ts';

/** The packages of ours that each package may import; benchmarks, the app and the examples are in `mayImport`. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  '@cadre/jsonl': [],
  '@cadre/cache': [],
  '@cadre/bus': [],
  '@cadre/config': [],
  '@cadre/bench': [],
  '@cadre/spawner': ['@cadre/jsonl'],
  '@cadre/agents': ['@cadre/spawner', '@cadre/jsonl'],
  '@cadre/workflow': ['@cadre/agents', '@cadre/spawner', '@cadre/cache', '@cadre/bus', '@cadre/jsonl'],
};

/** Every import and every declared dependency points the way the architecture says. */
export function importsGoOneWay(workspace: Workspace): readonly string[] {
  return workspace.rooms.flatMap((room) => {
    const { name } = room.manifest;
    if (room.folder.startsWith('packages/') && allowed[name] === undefined) {
      return [`${room.folder}: ${name} has no line in the table of who may import whom`];
    }
    const declared = workspace.rooms
      .filter((other) => declaredNames(room.manifest).includes(other.manifest.name) && !mayImport(room, other))
      .map((other) => `${room.folder}/package.json: ${name} must not depend on ${other.manifest.name}`);
    return [
      ...declared,
      ...forEachImport(workspace, room, (target) => {
        if (target.kind !== 'room' || target.room === room || mayImport(room, target.room)) return;
        return `${name} must not import ${target.room.manifest.name}`;
      }),
    ];
  });
}

/** Another package is entered by a name in its exports map, never by a path. */
export function roomsAreEnteredByDoors(workspace: Workspace): readonly string[] {
  return workspace.rooms.flatMap((room) =>
    forEachImport(workspace, room, (target) => {
      if (target.kind === 'file' && !target.file.startsWith(`${room.folder}/`)) return `leaves ${room.folder}`;
      if (target.kind !== 'room') return;
      const doors = Object.keys(target.room.manifest.exports ?? {});
      return doors.some((door) => doorMatches(door, target.door))
        ? undefined
        : `is no door of ${target.room.manifest.name}`;
    }),
  );
}

/** What the root door loads never includes a file that stands behind another door. */
export function coreImportsNoDriver(workspace: Workspace): readonly string[] {
  return workspace.rooms.flatMap((room) => {
    const doors = doorSources(room);
    const root = doors.get('.');
    if (root === undefined) return [];
    const core = reachableFrom(workspace, room, root);
    return [...core].flatMap((file) =>
      workspace.imports(file).flatMap(({ specifier, line }) => {
        const target = resolveImport(workspace, file, specifier);
        const door = [...doors].find(
          ([name, source]) => target.kind === 'file' && name !== '.' && source === target.file,
        );
        return door === undefined
          ? []
          : [`${file}:${line}: core imports '${specifier}', which is behind the door ${door[0]}`];
      }),
    );
  });
}

function mayImport(from: Room, to: Room): boolean {
  if (from.folder === 'benchmarks') return true;
  if (!to.folder.startsWith('packages/')) return false;
  if (from.folder === 'apps/orchestrator') return to.manifest.name !== '@cadre/bench';
  if (from.folder.startsWith('examples/')) return true;
  return allowed[from.manifest.name]?.includes(to.manifest.name) ?? false;
}

function declaredNames({ dependencies, devDependencies, peerDependencies }: Manifest): readonly string[] {
  return Object.keys({ ...dependencies, ...devDependencies, ...peerDependencies });
}

function forEachImport(
  workspace: Workspace,
  room: Room,
  problem: (target: ReturnType<typeof resolveImport>) => string | undefined,
): readonly string[] {
  return room.scripts.flatMap((file) =>
    workspace.imports(file).flatMap(({ specifier, line }) => {
      const found = problem(resolveImport(workspace, file, specifier));
      return found === undefined ? [] : [`${file}:${line}: '${specifier}' ${found}`];
    }),
  );
}

function doorMatches(door: string, asked: string): boolean {
  const [prefix = '', suffix] = door.split('*');
  if (suffix === undefined) return door === asked;
  return asked.length > prefix.length + suffix.length && asked.startsWith(prefix) && asked.endsWith(suffix);
}
