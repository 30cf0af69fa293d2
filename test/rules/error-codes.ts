/** Errors are told apart by permanent codes, and the README of a package lists exactly those that it has. */
import { join, posix, relative, sep } from 'node:path';
import ts from 'typescript';
import { createProgram } from './program.ts';
import { doorSources, type Room, type Workspace } from './workspace.ts';

/** Every error class that a door shows is declared in `src/errors.ts` and has a `code` of known values. */
export function errorsHaveCodes(workspace: Workspace): readonly string[] {
  return readErrors(workspace).flatMap(({ room, classes }) =>
    classes.flatMap(({ name, file, codes }) => {
      const where = `${file}: ${name}`;
      const expected = posix.join(room.folder, 'src/errors.ts');
      return [
        ...(codes === undefined ? [`${where} has no \`code\` that is a union of string literals`] : []),
        ...(file === expected ? [] : [`${where} is an error class outside ${expected}`]),
      ];
    }),
  );
}

export function codesAreDocumented(workspace: Workspace): readonly string[] {
  return readErrors(workspace).flatMap(({ room, classes }) => {
    const codes = new Set(classes.flatMap((found) => found.codes ?? []));
    const prefixes = new Set([...codes].map((code) => code.split('_')[0]));
    const readme = posix.join(room.folder, 'README.md');
    const text = workspace.files.includes(readme) ? workspace.text(readme) : '';
    const named = [...text.matchAll(/`([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)`/g)].map((match) => match[1] ?? '');
    const documented = new Set(named.filter((code) => prefixes.has(code.split('_')[0])));
    return [
      ...[...codes].filter((code) => !documented.has(code)).map((code) => `${readme}: \`${code}\` is not explained`),
      ...[...documented]
        .filter((code) => !codes.has(code))
        .map((code) => `${readme}: no error has the code \`${code}\``),
    ];
  });
}

interface ErrorClass {
  readonly name: string;
  readonly file: string;
  /** `undefined` where `code` is missing or could be any string. */
  readonly codes: readonly string[] | undefined;
}

/** Per published package: the error classes among the exports of all its doors and of `src/errors.ts`. */
function readErrors(workspace: Workspace): readonly { readonly room: Room; readonly classes: readonly ErrorClass[] }[] {
  const packages = workspace.rooms.filter(({ folder }) => folder.startsWith('packages/'));
  const entries = packages.map((room) => {
    const files = new Set([...doorSources(room).values(), posix.join(room.folder, 'src/errors.ts')]);
    return [...files].filter((file) => room.files.includes(file)).map((file) => join(workspace.root, file));
  });
  const program = createProgram(entries.flat());
  const checker = program.getTypeChecker();
  return packages.map((room, index) => {
    const classes = new Map<ts.Symbol, ErrorClass>();
    for (const entry of entries[index] ?? []) {
      const source = program.getSourceFile(entry);
      const module = source && checker.getSymbolAtLocation(source);
      for (const exported of module === undefined ? [] : checker.getExportsOfModule(module)) {
        const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
        const found = symbol.flags & ts.SymbolFlags.Class ? readErrorClass(checker, symbol) : undefined;
        if (found !== undefined) classes.set(symbol, { ...found, file: pathIn(workspace, found.file) });
      }
    }
    return { room, classes: [...classes.values()] };
  });
}

function readErrorClass(checker: ts.TypeChecker, symbol: ts.Symbol): ErrorClass | undefined {
  const type = checker.getDeclaredTypeOfSymbol(symbol);
  const file = symbol.declarations?.[0]?.getSourceFile().fileName;
  if (file === undefined || !extendsError(checker, type)) return undefined;
  const code = type.getProperty('code');
  const codeType = code && checker.getTypeOfSymbol(code);
  const members = codeType === undefined ? [] : codeType.isUnion() ? codeType.types : [codeType];
  const codes = members.flatMap((member) => (member.isStringLiteral() ? [member.value] : []));
  return { name: symbol.name, file, codes: codes.length > 0 && codes.length === members.length ? codes : undefined };
}

function extendsError(checker: ts.TypeChecker, type: ts.Type): boolean {
  if (!type.isClassOrInterface()) return false;
  return checker.getBaseTypes(type).some((base) => base.symbol?.name === 'Error' || extendsError(checker, base));
}

function pathIn(workspace: Workspace, file: string): string {
  return relative(workspace.root, file).split(sep).join('/');
}
