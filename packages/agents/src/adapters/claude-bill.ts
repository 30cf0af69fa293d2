/**
 * What an attempt of Claude Code took. While it runs, request by request at list prices; once it reports, by its own totals,
 * of which only the part since the last result is this attempt's.
 */
import type { AgentTask } from '../definition.ts';
import { countOf, type Fields, fieldsOf, isFields } from '../fields.ts';
import type { PriceBook } from '../price.ts';
import { addUsage, type Cost, noUsage, type SessionTotal, subtractUsage, type TokenUsage } from '../usage.ts';

export interface Settlement {
  readonly usage: TokenUsage;
  readonly cost: Cost;
  readonly sessionTotal?: SessionTotal;
  readonly warnings: string[];
}

export class ClaudeBill {
  readonly #prices: PriceBook;
  readonly #seen = new Set<string>();
  #requests: { usage: TokenUsage; usd: number; unpriced: boolean } = { usage: noUsage, usd: 0, unpriced: false };
  #reported: { usage: TokenUsage; cost: Cost } | undefined;
  /** Some result did not say what it took since the one before. */
  #totalsOnly = false;

  constructor(prices: PriceBook) {
    this.#prices = prices;
  }

  /** False when this request was counted before: the lines of one message repeat its usage. */
  addRequest(id: string | undefined, model: string | undefined, usage: Fields): boolean {
    if (id === undefined || this.#seen.has(id)) return false;
    this.#seen.add(id);
    const tokens = apiUsage(usage);
    const usd = model === undefined ? undefined : this.#prices.ofRequest(tokens, model, 'anthropic');
    this.#requests = {
      usage: addUsage(this.#requests.usage, tokens),
      usd: this.#requests.usd + (usd ?? 0),
      unpriced: this.#requests.unpriced || usd === undefined,
    };
    return true;
  }

  addResult(result: Fields): void {
    if (!isFields(result.model_usage_since_last_result)) {
      this.#totalsOnly = true;
      return;
    }
    const { usage, cost } = sumOfModels(result.model_usage_since_last_result, this.#prices);
    const before = this.#reported ?? { usage: noUsage, cost: { usd: 0, basis: 'reported' } };
    const basis = worse(before.cost.basis, cost.basis);
    this.#reported = { usage: addUsage(before.usage, usage), cost: { usd: before.cost.usd + cost.usd, basis } };
  }

  soFar(): { readonly usage: TokenUsage; readonly cost: Cost } {
    const { usage, usd, unpriced } = this.#requests;
    return { usage, cost: { usd, basis: unpriced ? 'unpriced' : 'list' } };
  }

  settle(task: AgentTask, result: Fields | undefined): Settlement {
    const warnings: string[] = [];
    if (result === undefined) {
      if (this.#seen.size > 0) {
        warnings.push('The agent ended before it reported what it used: tokens and cost are a floor.');
      }
      const { usage, cost } = this.soFar();
      return { usage, cost: this.#seen.size === 0 ? unknownCost : cost, warnings };
    }
    const total = isFields(result.modelUsage) ? sumOfModels(result.modelUsage, this.#prices) : withoutModels(result);
    const sessionTotal: SessionTotal = { usage: total.usage, usd: countOf(result.total_cost_usd) };
    if (this.#reported !== undefined && !this.#totalsOnly) return { ...this.#reported, sessionTotal, warnings };
    if (task.resumeSessionId === undefined) return { ...total, sessionTotal, warnings };
    const earlier = task.resumeSessionTotal;
    if (this.#countsProcess(total.usage, earlier?.usage)) {
      const usage = addUsage(total.usage, earlier?.usage ?? noUsage);
      return { ...total, sessionTotal: { usage, usd: (earlier?.usd ?? 0) + countOf(result.total_cost_usd) }, warnings };
    }
    if (earlier?.usd === undefined) {
      warnings.push(
        'The agent reports only the whole session, and what it took before is not known: cost is unpriced.',
      );
      return { usage: apiUsage(fieldsOf(result.usage)), cost: unknownCost, sessionTotal, warnings };
    }
    const usd = Math.max(0, total.cost.usd - earlier.usd);
    const usage = subtractUsage(total.usage, earlier.usage);
    return { usage, cost: { usd, basis: total.cost.basis } satisfies Cost, sessionTotal, warnings };
  }

  /**
   * Older versions count from the start of the process, newer ones from that of the session. What was seen of this attempt
   * must be in the count: where nothing would be left for it, the count is of this process alone.
   */
  #countsProcess(total: TokenUsage, earlier: TokenUsage | undefined): boolean {
    const seen = this.#requests.usage.inputTokens;
    if (seen === 0 || total.inputTokens < seen) return false;
    return earlier === undefined ? total.inputTokens === seen : total.inputTokens - earlier.inputTokens < seen;
  }
}

const unknownCost: Cost = Object.freeze({ usd: 0, basis: 'unpriced' });

/** Usage as the model API counts it, where cached tokens stand beside the input tokens, to ours, where they are inside. */
function apiUsage(usage: Fields): TokenUsage {
  const cachedInputTokens = countOf(usage.cache_read_input_tokens);
  const cacheWriteInputTokens = countOf(usage.cache_creation_input_tokens);
  return {
    inputTokens: countOf(usage.input_tokens) + cachedInputTokens + cacheWriteInputTokens,
    cachedInputTokens,
    cacheWriteInputTokens,
    outputTokens: countOf(usage.output_tokens),
    reasoningOutputTokens: countOf(fieldsOf(usage.output_tokens_details).thinking_tokens),
  };
}

/** Of two bases the one that promises less. */
function worse(left: Cost['basis'], right: Cost['basis']): Cost['basis'] {
  if (left === 'unpriced' || right === 'unpriced') return 'unpriced';
  return left === 'list' || right === 'list' ? 'list' : 'reported';
}

/** Versions that don't tell models apart still give the sum. */
function withoutModels(result: Fields): { readonly usage: TokenUsage; readonly cost: Cost } {
  const isPriced = typeof result.total_cost_usd === 'number';
  const cost: Cost = isPriced ? { usd: countOf(result.total_cost_usd), basis: 'reported' } : unknownCost;
  return { usage: apiUsage(fieldsOf(result.usage)), cost };
}

function sumOfModels(models: Fields, prices: PriceBook): { readonly usage: TokenUsage; readonly cost: Cost } {
  let usage = noUsage;
  let usd = 0;
  let basis: Cost['basis'] = 'reported';
  for (const [name, value] of Object.entries(models)) {
    const model = fieldsOf(value);
    const cachedInputTokens = countOf(model.cacheReadInputTokens);
    const cacheWriteInputTokens = countOf(model.cacheCreationInputTokens);
    const tokens: TokenUsage = {
      inputTokens: countOf(model.inputTokens) + cachedInputTokens + cacheWriteInputTokens,
      cachedInputTokens,
      cacheWriteInputTokens,
      outputTokens: countOf(model.outputTokens),
      reasoningOutputTokens: countOf(model.thinkingTokens),
    };
    usage = addUsage(usage, tokens);
    // The program prices models it does not know by guess, and says so.
    const isGuess = model.costBasis === 'unknown';
    const price = isGuess ? prices.ofSum(tokens, name, 'anthropic') : countOf(model.costUSD);
    if (isGuess) basis = worse(basis, price === undefined ? 'unpriced' : 'list');
    usd += price ?? 0;
  }
  return { usage, cost: { usd, basis } };
}
