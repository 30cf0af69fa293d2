/** Tokens and money: what one attempt took, in the same terms whichever program reported it. */

export interface TokenUsage {
  /** All input tokens; the two cache counts below are parts of it. */
  readonly inputTokens: number;
  readonly cachedInputTokens: number;
  readonly cacheWriteInputTokens: number;
  /** All output tokens; reasoning is part of it. */
  readonly outputTokens: number;
  readonly reasoningOutputTokens: number;
}

export interface Cost {
  /** US dollars. With the basis `unpriced` this is only the part that could be priced: 0, or a floor. */
  readonly usd: number;
  /**
   * `reported`: the agent program said so. `list`: tokens times public list prices. `unpriced`: at least one model has no
   * known price. `none`: nothing was charged (a local command or function).
   */
  readonly basis: 'reported' | 'list' | 'unpriced' | 'none';
}

/** What a session took over all its attempts so far; hand it back when resuming, since some programs only report totals. */
export interface SessionTotal {
  readonly usage: TokenUsage;
  /** Missing where the program never reports money. */
  readonly usd?: number;
}

/** No tokens: where sums begin, and what an agent that reports none has used. */
export const noUsage: TokenUsage = Object.freeze({
  inputTokens: 0,
  cachedInputTokens: 0,
  cacheWriteInputTokens: 0,
  outputTokens: 0,
  reasoningOutputTokens: 0,
});

/** Nothing was paid, since nothing was asked of a model. */
export const noCost: Cost = Object.freeze({ usd: 0, basis: 'none' });

/** Both together, count by count. */
export function addUsage(left: TokenUsage, right: TokenUsage): TokenUsage {
  return combine(left, right, (a, b) => a + b);
}

/** What `total` has more than `earlier`, never below zero. */
export function subtractUsage(total: TokenUsage, earlier: TokenUsage): TokenUsage {
  return combine(total, earlier, (a, b) => Math.max(0, a - b));
}

function combine(left: TokenUsage, right: TokenUsage, operation: (a: number, b: number) => number): TokenUsage {
  return {
    inputTokens: operation(left.inputTokens, right.inputTokens),
    cachedInputTokens: operation(left.cachedInputTokens, right.cachedInputTokens),
    cacheWriteInputTokens: operation(left.cacheWriteInputTokens, right.cacheWriteInputTokens),
    outputTokens: operation(left.outputTokens, right.outputTokens),
    reasoningOutputTokens: operation(left.reasoningOutputTokens, right.reasoningOutputTokens),
  };
}
