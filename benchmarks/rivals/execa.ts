import { execa } from 'execa';

export async function runProgram(command: string, args: readonly string[]) {
  const { exitCode, stdout } = await execa(command, args, { stdin: 'ignore', stripFinalNewline: false });
  return { exitCode, stdout };
}
