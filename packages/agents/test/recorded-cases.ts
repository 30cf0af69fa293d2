/** What each recording of `recordings/` must come to. Figures are worked out by hand from what the stub claimed. */

export interface Expected {
  readonly status: 'succeeded' | 'failed';
  readonly reason?: string;
  readonly retryable?: boolean;
  readonly usd: number;
  readonly basis: string;
  /** input, cached, cache write, output, reasoning */
  readonly tokens: readonly [number, number, number, number, number];
  readonly text: string;
  readonly output?: unknown;
  /** First eight characters; undefined where the program said none. */
  readonly session?: string;
  readonly message?: RegExp;
  /** Events of the type `retrying`. */
  readonly retries?: number;
}

const hello = 'Hello from stub.';
const nothing: Expected['tokens'] = [0, 0, 0, 0, 0];
const oneCall = { usd: 0.0005115, basis: 'reported', tokens: [160, 30, 10, 7, 0] } as const;
const twoCalls = { usd: 0.001023, basis: 'reported', tokens: [320, 60, 20, 14, 0] } as const;
const refused = { status: 'failed', usd: 0, basis: 'reported', tokens: nothing } as const;
const rateLimited = 'API Error: Request rejected (429) · This request would exceed your rate limit (stub)';

// One turn of 200 tokens in, 50 of them cached, and 20 out on gpt-5.1-codex: (150 × 1.25 + 50 × 0.125 + 20 × 10) / 1e6.
const codexTurn = {
  status: 'succeeded',
  usd: 0.00039375,
  basis: 'list',
  tokens: [200, 50, 0, 20, 5],
  text: hello,
} as const;
const codexTwoTurns = { ...codexTurn, usd: 0.0007875, tokens: [400, 100, 0, 40, 10] } as const;
const codexUnknown = { status: 'failed', usd: 0, basis: 'unpriced', tokens: nothing, text: '' } as const;

export const claudeCases: Readonly<Record<string, Expected>> = {
  'claude-400': {
    ...{ ...refused, reason: 'invalidRequest', retryable: false, session: 'b1e35f58' },
    text: 'API Error: 400 bad request (stub)',
  },
  'claude-429': { ...refused, reason: 'rateLimit', retryable: true, session: '6727182e', text: rateLimited },
  'claude-500': {
    ...{ ...refused, reason: 'overloaded', retryable: true, session: '4ae206f4' },
    text: 'API Error: 500 Internal server error (stub). This is a server-side issue, usually temporary — try again in a moment. If it persists, check your inference gateway (127.0.0.1:8099).',
  },
  'claude-allow': { status: 'succeeded', ...twoCalls, session: 'd42e5252', text: hello },
  'claude-basic': { status: 'succeeded', ...oneCall, session: '7b695124', text: hello },
  'claude-bearer': { status: 'succeeded', ...oneCall, session: '8bbff79f', text: hello },
  'claude-bypass': {
    ...{ status: 'failed', reason: 'invalidRequest', retryable: false, usd: 0, basis: 'unpriced', tokens: nothing },
    text: '',
    message: /refused to start; .*cannot be used with root/,
  },
  'claude-deny': { status: 'succeeded', ...twoCalls, session: '8c2ca1a5', text: hello },
  'claude-edits': { status: 'succeeded', ...twoCalls, session: '885bc053', text: hello },
  'claude-kill9': {
    ...{ status: 'failed', reason: 'noResult', retryable: true, session: '33333333', text: '' },
    // No total came: the one request is priced at list, without the output tokens nobody reported.
    ...{ usd: 0.0004215, basis: 'list', tokens: [160, 30, 10, 1, 0] },
  },
  'claude-kill9res': {
    ...{ status: 'failed', reason: 'turns', retryable: false, ...oneCall, session: '33333333', text: '' },
    message: /Reached maximum number of turns \(1\)/,
  },
  'claude-nokey': {
    ...{ ...refused, reason: 'authentication', retryable: false, session: 'f26f0e34' },
    text: 'Not logged in · Please run /login',
    message: /ANTHROPIC_API_KEY/,
  },
  'claude-partial': { status: 'succeeded', ...oneCall, session: 'fa647aef', text: hello },
  'claude-r0': { ...refused, reason: 'rateLimit', retryable: true, session: 'dd591e88', text: rateLimited },
  'claude-ra': { ...refused, reason: 'rateLimit', retryable: true, session: '8e8b4f47', text: rateLimited },
  'claude-raw': {
    session: '9aacade3',
    status: 'failed',
    reason: 'crash',
    retryable: true,
    usd: 0,
    basis: 'unpriced',
    tokens: nothing,
    text: '',
  },
  'claude-res': { status: 'succeeded', ...oneCall, session: '22222222', text: hello },
  'claude-resumebad': {
    ...{ ...refused, reason: 'invalidRequest', retryable: false, session: '11111111', text: '' },
    message: /No conversation found/,
  },
  'claude-schema': {
    status: 'succeeded',
    ...oneCall,
    session: 'e41ca57a',
    text: '{"answer":"42"}',
    output: { answer: '42' },
  },
  'claude-sid': { status: 'succeeded', ...oneCall, session: '22222222', text: hello },
  'claude-sid2': {
    ...{ status: 'failed', reason: 'invalidRequest', retryable: false, usd: 0, basis: 'unpriced', tokens: nothing },
    text: '',
    message: /already in use/,
  },
  'claude-sigINT': {
    ...{ status: 'failed', reason: 'cancelled', retryable: false, session: '535e5c4d', text: '' },
    ...{ usd: 0.03017850000000004, basis: 'reported', tokens: [9440, 1770, 590, 413, 0] },
  },
  'claude-sigTERM': {
    ...{ status: 'failed', reason: 'crash', retryable: true, session: 'd88471c6', text: '' },
    ...{ usd: 38 * 0.0004215, basis: 'list', tokens: [38 * 160, 38 * 30, 38 * 10, 38, 0] },
  },
  'claude-stdin': { status: 'succeeded', ...oneCall, session: '68edd1bc', text: hello },
  'claude-term': {
    ...{ status: 'failed', reason: 'crash', retryable: true, session: 'b38edc7a', text: '' },
    ...{ usd: 0.0004215, basis: 'list', tokens: [160, 30, 10, 1, 0] },
  },
  'claude-tool': { status: 'succeeded', ...twoCalls, session: 'c7280dd4', text: hello },
  'claude-unk': { status: 'succeeded', ...oneCall, usd: 0, basis: 'unpriced', session: 'f6b294fb', text: hello },
};

export const codexCases: Readonly<Record<string, Expected>> = {
  'codex-400': {
    ...codexUnknown,
    reason: 'invalidRequest',
    retryable: false,
    session: '01a1fb72',
    message: /bad request/,
  },
  'codex-429': { ...codexUnknown, reason: 'rateLimit', retryable: true, session: '01a1fb72' },
  'codex-500': { ...codexUnknown, reason: 'overloaded', retryable: true, session: '01a1fb72' },
  'codex-basic': { ...codexTurn, session: '01a1fb71' },
  'codex-noenv': { ...codexTurn, session: '01a1fb7e' },
  'codex-nogit': { ...codexUnknown, reason: 'invalidRequest', retryable: false, message: /set skipGitRepoCheck/ },
  'codex-nohome': { ...codexUnknown, reason: 'invalidRequest', retryable: false, message: /CODEX_HOME/ },
  'codex-nokey': {
    ...codexUnknown,
    reason: 'authentication',
    retryable: false,
    session: '01a1fb7e',
    message: /MISSING_KEY/,
  },
  'codex-resume': { ...codexTurn, session: '01a1fb71' },
  'codex-resumebad': { ...codexUnknown, reason: 'invalidRequest', retryable: false, message: /no rollout found/ },
  'codex-sandbox': { ...codexTwoTurns, session: '01a1fb71' },
  'codex-schema': { ...codexTurn, session: '01a1fb72', text: '{"answer":"42"}', output: { answer: '42' } },
  'codex-sigINT': { ...codexUnknown, reason: 'crash', retryable: true, session: '01a1fb73' },
  'codex-sigTERM': { ...codexUnknown, reason: 'crash', retryable: true, session: '01a1fb73' },
  'codex-stdin': { ...codexTurn, session: '01a1fb7e' },
  'codex-tool': { ...codexTwoTurns, session: '01a1fb71' },
};

// One turn: 90 tokens in, 15 of them cached, 8 out and 5 of thinking, on gemini-2.5-flash.
const geminiTurn = {
  status: 'succeeded',
  usd: (75 * 0.3 + 15 * 0.03 + 13 * 2.5) / 1e6,
  basis: 'list',
  tokens: [90, 15, 0, 13, 5],
  text: hello,
} as const;
const geminiTwoTurns = { ...geminiTurn, usd: 2 * geminiTurn.usd, tokens: [180, 30, 0, 26, 10] } as const;
const unknown = { status: 'failed', usd: 0, basis: 'unpriced', tokens: nothing, text: '' } as const;

export const geminiCases: Readonly<Record<string, Expected>> = {
  'gemini-401': { ...unknown, basis: 'list', reason: 'authentication', retryable: false, session: '1eb5770b' },
  // The retries of these two are only seen on stderr.
  'gemini-429': { ...unknown, reason: 'rateLimit', retryable: true, session: '372b3125', retries: 6 },
  'gemini-500': { ...unknown, reason: 'overloaded', retryable: true, session: 'b7bb963b', retries: 6 },
  'gemini-basic': { ...geminiTurn, session: '1d08ad5e' },
  'gemini-resume': { ...geminiTurn, session: '1d08ad5e' },
  'gemini-resumebad': {
    ...{ ...unknown, reason: 'invalidRequest', retryable: false },
    message: /Invalid session identifier/,
  },
  'gemini-resumelatest': { ...geminiTurn, session: 'b7bb963b' },
  'gemini-sid': { ...geminiTurn, session: '44444444' },
  // Exit code 0 after a signal.
  'gemini-sigINT': { ...unknown, reason: 'noResult', retryable: true, session: '2b99c7dd' },
  'gemini-sigTERM': { ...unknown, reason: 'noResult', retryable: true, session: '8aea2612' },
  'gemini-tool': { ...geminiTwoTurns, session: 'ec771682' },
  'gemini-untrusted': { ...unknown, reason: 'invalidRequest', retryable: false, message: /set trustFolder/ },
};

const opencodeStep = {
  status: 'succeeded',
  usd: 0.000381,
  basis: 'reported',
  tokens: [100, 20, 0, 9, 2],
  text: hello,
} as const;
const opencodeTwoSteps = { ...opencodeStep, usd: 0.000762, tokens: [200, 40, 0, 18, 4] } as const;

export const opencodeCases: Readonly<Record<string, Expected>> = {
  'opencode-401': { ...unknown, reason: 'authentication', retryable: false, session: 'ses_e048' },
  'opencode-429': { ...unknown, reason: 'rateLimit', retryable: true, session: 'ses_e048' },
  'opencode-anth': { ...opencodeStep, usd: 0.0005115, tokens: [160, 30, 10, 7, 0], session: 'ses_e048' },
  'opencode-auto': { ...opencodeTwoSteps, session: 'ses_e048' },
  'opencode-badmodel': { ...unknown, reason: 'failed', retryable: false, session: 'ses_e048' },
  'opencode-basic': { ...opencodeStep, session: 'ses_e048' },
  'opencode-deny': { ...opencodeTwoSteps, session: 'ses_e048' },
  'opencode-res': { ...opencodeStep, session: 'ses_e048' },
  'opencode-resbad': { ...unknown, reason: 'invalidRequest', retryable: false, message: /Session not found/ },
  'opencode-tool': { ...opencodeTwoSteps, session: 'ses_e048' },
};
