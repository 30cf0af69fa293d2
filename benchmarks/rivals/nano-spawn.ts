import spawn from 'nano-spawn';

/** A thin shell over child_process: no bound on output, nothing ends what a program leaves behind. */
export async function runProgram(command: string, args: readonly string[]) {
  const { output } = await spawn(command, [...args], { stdin: 'ignore' });
  // It strips the last newline, and has no exit code where that is 0.
  return { exitCode: 0, stdout: `${output}\n` };
}
