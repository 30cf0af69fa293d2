import { execa } from 'execa';

export async function runProgram(command: string, args: readonly string[]) {
  const { exitCode, stdout } = await execa(command, args, { stdin: 'ignore', stripFinalNewline: false });
  return { exitCode, stdout };
}

export async function startProgram(command: string, args: readonly string[], onStdout: (chunk: Uint8Array) => void) {
  const child = execa(command, args, { stdin: 'ignore', encoding: 'buffer' });
  child.stdout.on('data', onStdout);
  await child;
}
