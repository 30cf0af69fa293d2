/**
 * A thread of a pool's process that waits for the end of the pool, however it comes, and then ends the process with the group
 * that it leads. On a thread of its own, since the first may be held by a task.
 */
import { Socket } from 'node:net';
import { lifelineDescriptor } from './process-protocol.ts';

const lifeline = new Socket({ fd: lifelineDescriptor, readable: true, writable: false });
lifeline.on('error', end).on('close', end).resume();

function end(): void {
  process.kill(-process.pid, 'SIGKILL');
}
