/** A signal to a process, or by a negative number to a group, that may have gone meanwhile. */
export function sendSignal(target: number, signalName: NodeJS.Signals): void {
  try {
    process.kill(target, signalName);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    // Gone already, or another user's: the next look says which, and the report names who is left.
    if (code !== 'ESRCH' && code !== 'EPERM') throw error;
  }
}
