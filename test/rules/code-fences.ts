/** What a document shows as TypeScript compiles, against the sources as they are. */
import { join } from 'node:path';
import ts from 'typescript';
import { createProgram } from './program.ts';
import type { Workspace } from './workspace.ts';

/**
 * Every `ts` fence of every document is a module of its own. It resolves what its package can import; outside packages,
 * what the benchmarks can, who use all of them.
 */
export function codeFencesCompile(workspace: Workspace): readonly string[] {
  const documents = new Map<string, string>();
  const virtual = new Map<string, string>();
  for (const file of workspace.files.filter((name) => name.endsWith('.md') && !name.startsWith('.changeset/'))) {
    for (const fence of findFences(workspace.text(file))) {
      const room = workspace.rooms.find(({ folder }) => file.startsWith(`${folder}/`))?.folder ?? 'benchmarks';
      const path = join(workspace.root, room, `${file.replaceAll('/', '-')}-${fence.line}.ts`);
      documents.set(path, file);
      // Blank lines before it, so that a line of the module is the line of the document.
      virtual.set(path, '\n'.repeat(fence.line) + fence.text);
    }
  }
  const program = createProgram([], {
    virtual,
    compilerOptions: {
      noUnusedLocals: false,
      noUnusedParameters: false,
      moduleDetection: ts.ModuleDetectionKind.Force,
    },
  });
  return [...documents].flatMap(([path, file]) => {
    const source = program.getSourceFile(path);
    const diagnostics = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)];
    const problems = diagnostics.map((diagnostic) => {
      const line = diagnostic.file?.getLineAndCharacterOfPosition(diagnostic.start ?? 0).line ?? 0;
      return `${file}:${line + 1}: ${ts.flattenDiagnosticMessageText(diagnostic.messageText, ' ')}`;
    });
    return [...new Set(problems)];
  });
}

/** `line` is that of the opening fence, counted from 1: the number of lines before its text. */
function findFences(text: string): readonly { readonly line: number; readonly text: string }[] {
  const fences: { line: number; text: string }[] = [];
  for (const match of text.matchAll(/^```(?:ts|typescript)\b.*\n([\s\S]*?)^```/gm)) {
    fences.push({ line: text.slice(0, match.index).split('\n').length, text: match[1] ?? '' });
  }
  return fences;
}
