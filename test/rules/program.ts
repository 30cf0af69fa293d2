/** TypeScript programs over the sources of a workspace, by the root's own compiler options. */
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const home = fileURLToPath(new URL('../..', import.meta.url));
const parsed = new Map<string, ts.SourceFile>();

/**
 * Files are read once a process: the standard library and everything that two programs share.
 * @param virtual  files that are not on the disk, by absolute path
 */
export function createProgram(
  files: readonly string[],
  options: { readonly virtual?: ReadonlyMap<string, string>; readonly compilerOptions?: ts.CompilerOptions } = {},
): ts.Program {
  const virtual = options.virtual ?? new Map<string, string>();
  const compilerOptions = { ...readOptions(), ...options.compilerOptions };
  const host = ts.createCompilerHost(compilerOptions);
  const { fileExists, readFile, getSourceFile } = host;
  host.fileExists = (file) => virtual.has(resolve(file)) || fileExists(file);
  host.readFile = (file) => virtual.get(resolve(file)) ?? readFile(file);
  host.getSourceFile = (file, language, ...rest) => {
    const text = virtual.get(resolve(file));
    if (text !== undefined) return ts.createSourceFile(file, text, language);
    const source = parsed.get(file) ?? getSourceFile(file, language, ...rest);
    if (source !== undefined) parsed.set(file, source);
    return source;
  };
  return ts.createProgram([...files, ...virtual.keys()], compilerOptions, host);
}

function readOptions(): ts.CompilerOptions {
  const file = join(home, 'tsconfig.json');
  const { compilerOptions } = ts.readConfigFile(file, ts.sys.readFile).config;
  const { options } = ts.convertCompilerOptionsFromJson(compilerOptions, dirname(file));
  return { ...options, noEmit: true, typeRoots: [join(home, 'node_modules/@types')] };
}
