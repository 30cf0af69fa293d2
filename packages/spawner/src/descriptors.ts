/**
 * Starting where file descriptors are scarce. A start that fails for want of them in the middle costs more than the start:
 * Node then forgets the pipes that it had made, three descriptors each time, and a program that has started can't be looked
 * at under `/proc`. So there are enough before a start begins, or it does not; and one is held back for looking.
 */
import { closeSync, openSync } from 'node:fs';

/** The pipe by which a fork tells that its exec failed, and one for looking at what was started. */
const besidePipes = 3;

let reserve: number | undefined;

/**
 * @param pipes  How many pipes to the child the start will make.
 * @throws what the system says when there are too few. Cost: about 3 µs for each.
 */
export function checkDescriptors(pipes: number): void {
  reserve ??= openSync('/dev/null', 'r');
  const opened: number[] = [];
  try {
    while (opened.length < 2 * pipes + besidePipes) opened.push(openSync('/dev/null', 'r'));
  } finally {
    for (const descriptor of opened) closeSync(descriptor);
  }
}

/** Runs what opens one descriptor and closes it again, on the reserved one where there is no other. */
export function withReserve<T>(look: () => T): T {
  try {
    return look();
  } catch (error) {
    if (reserve === undefined || !isExhausted(error)) throw error;
  }
  closeSync(reserve);
  try {
    return look();
  } finally {
    reserve = openSync('/dev/null', 'r');
  }
}

function isExhausted(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'EMFILE' || error.code === 'ENFILE');
}
