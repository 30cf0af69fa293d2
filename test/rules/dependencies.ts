/** What is imported is declared, and a client that only some users need is an optional peer behind its own door. */
import {
  doorSources,
  isTest,
  type Manifest,
  type Room,
  reachableFrom,
  resolveImport,
  type Workspace,
} from './workspace.ts';

/** Tests, and all that is only run from this repository, may also use what the root or the package declares for work. */
export function importsAreDeclared(workspace: Workspace): readonly string[] {
  const root: Manifest = JSON.parse(workspace.text('package.json'));
  return workspace.rooms.flatMap((room) => {
    const { name, dependencies, devDependencies, peerDependencies } = room.manifest;
    const shipped = Object.keys({ ...dependencies, ...peerDependencies });
    const atWork = [...shipped, ...Object.keys({ ...devDependencies, ...root.devDependencies })];
    return packageImports(workspace, room, room.scripts).flatMap((found) => {
      if (found.name === name) return [];
      const declared = isTest(found.file) ? atWork : shipped;
      return declared.includes(found.name)
        ? []
        : [`${found.file}:${found.line}: ${found.name} is not declared in ${room.folder}`];
    });
  });
}

/** A package of someone else's that the root door does not reach is asked for only by those who open the other door. */
export function driversTakeOptionalPeers(workspace: Workspace): readonly string[] {
  return workspace.rooms.flatMap((room) => {
    const doors = doorSources(room);
    const root = doors.get('.');
    if (root === undefined || room.manifest.private === true) return [];
    const core = reachableFrom(workspace, room, root);
    const needed = new Set(packageImports(workspace, room, [...core]).map(({ name }) => name));
    const behindDoors = [...doors.values()].flatMap((source) => [...reachableFrom(workspace, room, source)]);
    const drivers = packageImports(
      workspace,
      room,
      [...new Set(behindDoors)].filter((file) => !core.has(file)),
    );
    return drivers
      .filter(({ name }) => !needed.has(name) && !isOurs(workspace, name) && !isOptionalPeer(room.manifest, name))
      .map(({ file, line, name }) => `${file}:${line}: ${name} must be an optional peer: only this door needs it`);
  });
}

/** The root door loads, and type-checks, where no peer is installed; and every peer is optional. */
export function rootDoorsNeedNoPeer(workspace: Workspace): readonly string[] {
  return workspace.rooms.flatMap((room) => {
    const peers = Object.keys(room.manifest.peerDependencies ?? {});
    const forced = peers
      .filter((name) => !isOptionalPeer(room.manifest, name))
      .map((name) => `${room.folder}/package.json: the peer ${name} is not marked optional in peerDependenciesMeta`);
    const root = doorSources(room).get('.');
    if (root === undefined) return forced;
    const core = [...reachableFrom(workspace, room, root)];
    const used = packageImports(workspace, room, core).filter(({ name }) => peers.includes(name));
    return [...forced, ...used.map(({ file, line, name }) => `${file}:${line}: the root door loads the peer ${name}`)];
  });
}

interface PackageImport {
  readonly name: string;
  readonly file: string;
  readonly line: number;
}

function packageImports(workspace: Workspace, room: Room, files: readonly string[]): readonly PackageImport[] {
  return files
    .filter((file) => room.scripts.includes(file))
    .flatMap((file) =>
      workspace.imports(file).flatMap(({ specifier, line }) => {
        const target = resolveImport(workspace, file, specifier);
        if (target.kind === 'room') return [{ name: target.room.manifest.name, file, line }];
        return target.kind === 'package' ? [{ name: target.name, file, line }] : [];
      }),
    );
}

function isOurs(workspace: Workspace, name: string): boolean {
  return workspace.rooms.some(({ manifest }) => manifest.name === name);
}

function isOptionalPeer({ peerDependencies, peerDependenciesMeta }: Manifest, name: string): boolean {
  return peerDependencies?.[name] !== undefined && peerDependenciesMeta?.[name]?.optional === true;
}
