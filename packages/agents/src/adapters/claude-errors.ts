/** What the errors of Claude Code mean: its own codes, else the HTTP status, else what it says on stderr. */
import type { FailureReason } from '../event.ts';
import { type AttemptExit, type Failure, failure, lastWords, reasonOfStatus } from '../outcome.ts';

const reasonsByCode: Readonly<Record<string, FailureReason>> = {
  authentication_failed: 'authentication',
  oauth_org_not_allowed: 'authentication',
  account_on_hold: 'authentication',
  cloud_credential_error: 'authentication',
  billing_error: 'budget',
  rate_limit: 'rateLimit',
  overloaded: 'overloaded',
  server_error: 'overloaded',
  invalid_request: 'invalidRequest',
  model_not_found: 'invalidRequest',
  max_output_tokens: 'invalidRequest',
};

export function reasonOf(code: string | undefined, status: number | undefined): FailureReason {
  const byCode = code !== undefined && Object.hasOwn(reasonsByCode, code) ? reasonsByCode[code] : undefined;
  if (byCode !== undefined) return byCode;
  return status === undefined ? 'failed' : reasonOfStatus(status);
}

export function describe(code: string | undefined, status: number | undefined): string {
  return [code ?? 'unnamed error', ...(status === undefined ? [] : [`HTTP status ${status}`])].join(', ');
}

/** What it says on stderr when it never began. */
export function refusedToStart(exit: AttemptExit): Failure | undefined {
  const known = /is already in use|unknown option|cannot be used with root|^Error: (?:When using|Input must)/m;
  if (!known.test(exit.stderr)) return undefined;
  return failure('invalidRequest', `The agent refused to start${lastWords(exit.stderr)}.`);
}
