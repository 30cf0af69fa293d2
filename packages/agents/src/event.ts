/**
 * The vocabulary every agent program is translated into.
 *
 * Programs differ in what they print; a view, a journal or a governor should not have to know which one ran. An event is
 * plain JSON, so it can be journalled and published as it is.
 */
import type { Outcome } from './outcome.ts';
import type { Cost, TokenUsage } from './usage.ts';

export type JsonValue = null | boolean | number | string | readonly JsonValue[] | { readonly [key: string]: JsonValue };

/**
 * Why an attempt failed. `failed` means the agent itself said so and gave no better word; `crash` means the program ended
 * without saying anything; `noResult` that it ended as if all were well and still said nothing.
 */
export type FailureReason = (typeof failureReasons)[number];

/** All of them, for schemas and for who lists them. */
export const failureReasons = [
  'rateLimit',
  'overloaded',
  'authentication',
  'invalidRequest',
  'budget',
  'turns',
  'permission',
  'crash',
  'timeout',
  'idle',
  'memory',
  'cancelled',
  'noResult',
  'badOutput',
  'programNotFound',
  'failed',
] as const;

/** What an agent said or did, the same for every program. `settled` comes last, once. */
export type AgentEvent =
  | { readonly type: 'started'; readonly sessionId?: string; readonly model?: string }
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'thinking'; readonly text: string }
  | { readonly type: 'progress'; readonly done: number; readonly total?: number; readonly message?: string }
  | { readonly type: 'toolStarted'; readonly id: string; readonly name: string; readonly input?: JsonValue }
  | {
      readonly type: 'toolEnded';
      readonly id: string;
      readonly name?: string;
      readonly failed: boolean;
      /** What the tool printed, cut to 16,384 characters. */
      readonly output?: string;
    }
  /** The running total of this attempt: each one replaces the one before. */
  | { readonly type: 'usage'; readonly usage: TokenUsage; readonly cost?: Cost }
  | {
      readonly type: 'retrying';
      readonly attempt: number;
      readonly maxAttempts?: number;
      readonly delayMs?: number;
      readonly reason: FailureReason;
      readonly message?: string;
    }
  | {
      readonly type: 'permissionAsked';
      readonly tool: string;
      /** True: the program refused by itself, or was refused, and goes on. False: it waits for an answer. */
      readonly denied: boolean;
      /** Given where an answer is waited for; `permissionAnswered` has the same. */
      readonly id?: string;
      readonly input?: JsonValue;
      readonly message?: string;
    }
  | {
      readonly type: 'permissionAnswered';
      readonly id: string;
      readonly tool: string;
      readonly allowed: boolean;
      /** `default`: nobody was there to ask, or nobody answered in time. */
      readonly by: 'host' | 'default';
      readonly message?: string;
    }
  | { readonly type: 'warning'; readonly message: string }
  /** A line of a kind that this version does not know, as it came; without the value where that is over 16,384 characters. */
  | { readonly type: 'unknown'; readonly kind: string; readonly value?: JsonValue }
  /** Always the last one, exactly once. */
  | { readonly type: 'settled'; readonly outcome: Outcome };
