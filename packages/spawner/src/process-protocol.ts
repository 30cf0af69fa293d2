/**
 * What a pool and its processes say to each other, over the IPC channel of Node with its structured clone. A process holds
 * one task at a time: without shared memory nobody could take back what waits behind a slow one.
 */
import type { AbortMessage, DefineMessage } from './task-protocol.ts';

export type ToProcess =
  | DefineMessage
  | AbortMessage
  | {
      readonly type: 'task';
      readonly slot: number;
      readonly generation: number;
      readonly id: number;
      readonly argument: unknown;
    };

/** A pipe that its pool holds open: its end is the end of the process. */
export const lifelineDescriptor = 4;
