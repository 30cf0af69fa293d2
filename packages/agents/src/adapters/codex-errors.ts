/** What the errors of Codex mean, which it gives as prose. */
import type { FailureReason } from '../event.ts';
import { numberOf } from '../fields.ts';
import { type AttemptExit, type Failure, failure, lastWords } from '../outcome.ts';
import { statedFailure } from '../parsed-outcome.ts';

export function failureOf(message: string): Failure {
  return statedFailure(reasonOf(message), message, 'Log in with `codex login` or set CODEX_API_KEY');
}

/** The program gives its errors as prose, so this reads prose: from the surest sign to the vaguest. */
export function reasonOf(message: string): FailureReason {
  const status = numberOf(
    Number(/\bstatus:? (\d{3})\b/.exec(message)?.[1] ?? /"code":\s*(\d{3})\b/.exec(message)?.[1]),
  );
  if (/insufficient_quota|exceeded your current quota|billing/i.test(message) || status === 402) return 'budget';
  if (status === 429 || /rate.?limit|usage limit/i.test(message)) return 'rateLimit';
  if (status === 401 || status === 403 || /missing environment variable|not logged in|unauthorized/i.test(message)) {
    return 'authentication';
  }
  if (status === 408 || (status ?? 0) >= 500 || /high demand|overloaded|temporar/i.test(message)) return 'overloaded';
  if ((status ?? 0) >= 400 || /invalid_request|context window|not supported/i.test(message)) return 'invalidRequest';
  if (/stream disconnected|error sending request|connection|timed out/i.test(message)) return 'overloaded';
  return 'failed';
}

/** What it says on stderr when it never began. */
export function refusedToStart(exit: AttemptExit): Failure | undefined {
  if (exit.exitCode !== 2 && !/trusted directory|no rollout found|CODEX_HOME|error: unexpected/.test(exit.stderr)) {
    return undefined;
  }
  const advice = exit.stderr.includes('trusted directory')
    ? ' Run it in a git repository or set skipGitRepoCheck.'
    : '';
  return failure('invalidRequest', `The agent refused to start${lastWords(exit.stderr)}.${advice}`);
}
