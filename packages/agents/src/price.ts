/**
 * Tokens to US dollars: by the caller's own prices where it has some, else by public list prices. A model without a known
 * price has none: nothing is guessed.
 *
 * Some models cost more per token in a request with a long context. Where the tokens of single requests are known each is
 * priced as it was; where only a sum over many requests is known, every request is taken for a short one, so the figure is
 * a floor.
 */
import { createRequire } from 'node:module';
import type { TokenUsage } from './usage.ts';

/** As the tables name it: `anthropic`, `openai`, `google`, `openrouter` and so on. */
export type PriceProvider = string;

/** US dollars per million tokens. */
export interface ModelPrice {
  readonly inputUsd: number;
  readonly outputUsd: number;
  /** @default inputUsd */
  readonly cachedInputUsd?: number;
  /** @default inputUsd */
  readonly cacheWriteUsd?: number;
}

export interface PriceBook {
  /** US dollars of one request; undefined when the model has no known price. */
  ofRequest(usage: TokenUsage, model: string, provider?: PriceProvider): number | undefined;
  /** US dollars of many requests together, as if each were below every long-context threshold. */
  ofSum(usage: TokenUsage, model: string, provider?: PriceProvider): number | undefined;
}

/**
 * @param own prices by model, over the public ones
 * @throws {RangeError} when a price is not a number of at least 0
 * Cost: the first look-up loads the tables (40 ms); the first of a model looks through them, and later ones are four
 * multiplications, but for long contexts and models whose price changes with the time (30 µs).
 */
export function createPriceBook(own: Readonly<Record<string, ModelPrice>> = {}): PriceBook {
  const known = new Map(Object.entries(own));
  for (const [model, price] of known) checkPrice(model, price);
  const price = (usage: TokenUsage, model: string, provider: PriceProvider | undefined, scale: number) => {
    // Parts that exceed their whole are nonsense and have no price.
    if (usage.cachedInputTokens + usage.cacheWriteInputTokens > usage.inputTokens) return undefined;
    const ours = known.get(model);
    return ours === undefined ? listPrice(usage, model, provider, scale) : priceBy(ours, usage);
  };
  return {
    ofRequest: (usage, model, provider) => price(usage, model, provider, 1),
    // Below a threshold prices are proportional, so a millionth of the tokens costs a millionth and stays below each.
    ofSum: (usage, model, provider) => price(usage, model, provider, 1e-6),
  };
}

export const listPrices: PriceBook = createPriceBook();

function checkPrice(model: string, price: ModelPrice): void {
  for (const [name, value] of Object.entries(price)) {
    if (typeof value === 'number' && value >= 0 && value < Infinity) continue;
    throw new RangeError(`Expected \`${name}\` of the price of ${model} to be at least 0, got \`${String(value)}\`.`);
  }
}

function priceBy(price: ModelPrice, usage: TokenUsage): number {
  const { inputUsd, outputUsd, cachedInputUsd = inputUsd, cacheWriteUsd = inputUsd } = price;
  const plain = usage.inputTokens - usage.cachedInputTokens - usage.cacheWriteInputTokens;
  const input =
    plain * inputUsd + usage.cachedInputTokens * cachedInputUsd + usage.cacheWriteInputTokens * cacheWriteUsd;
  return (input + usage.outputTokens * outputUsd) / 1e6;
}

type Library = typeof import('@pydantic/genai-prices');
type Provider = NonNullable<ReturnType<Library['calcPrice']>>['provider'];

/** What is known of a model since its first look-up. */
interface Entry {
  /** With only the model that is meant. */
  readonly provider: Provider;
  readonly rates: Rates | undefined;
}

/** US dollars a token of each kind, for requests of fewer input tokens than `below`. */
interface Rates {
  readonly below: number;
  readonly input: number;
  readonly cached: number;
  readonly cacheWrite: number;
  readonly output: number;
}

/** Bounded: names come from what programs print. */
const entries = new Map<string, Entry | 'unknown'>();
const mostEntries = 1000;

function listPrice(usage: TokenUsage, model: string, provider: PriceProvider | undefined, scale: number) {
  const key = `${provider ?? ''} ${model}`;
  const entry = entries.get(key) ?? learn(key, model, provider);
  if (entry === 'unknown') return undefined;
  const { rates } = entry;
  if (rates !== undefined && usage.inputTokens * scale < rates.below) return priceAt(rates, usage);
  const tokens = {
    input: usage.inputTokens * scale,
    cached: usage.cachedInputTokens * scale,
    cacheWrite: usage.cacheWriteInputTokens * scale,
    output: usage.outputTokens * scale,
  };
  const result = ask(tokens, model, { provider: entry.provider });
  return result === null ? undefined : result.total_price / scale;
}

function learn(key: string, model: string, provider: PriceProvider | undefined): Entry | 'unknown' {
  const result = ask(oneOfInput, model, provider === undefined ? {} : { providerId: provider });
  const entry = result === null ? 'unknown' : entryOf(result, model);
  if (entries.size >= mostEntries) entries.clear();
  entries.set(key, entry);
  return entry;
}

type Tokens = Omit<Rates, 'below'>;
const oneOfInput: Tokens = { input: 1, cached: 0, cacheWrite: 0, output: 0 };

type Priced = NonNullable<ReturnType<Library['calcPrice']>>;

function ask(tokens: Tokens, model: string, options: Parameters<Library['calcPrice']>[2]): Priced | null {
  const { input, cached, cacheWrite, output } = tokens;
  const usage = { input_tokens: input, cache_read_tokens: cached, cache_write_tokens: cacheWrite };
  return prices().calcPrice({ ...usage, output_tokens: output }, model, options);
}

function entryOf({ provider, model }: Priced, name: string): Entry {
  const only = { ...provider, models: [model] };
  return { provider: only, rates: ratesOf(only, model, name) };
}

/** By asking for one token of each kind. Undefined where the price is not proportional to the tokens, or not always the same. */
function ratesOf(provider: Provider, { prices: table }: Priced['model'], name: string): Rates | undefined {
  if (Array.isArray(table) || 'requests_kcount' in table) return undefined;
  const priceOf = (tokens: Partial<Tokens>) =>
    ask({ ...oneOfInput, ...tokens }, name, { provider })?.total_price ?? Number.NaN;
  const starts = Object.values(table).flatMap((price) =>
    typeof price === 'object' && price !== null ? price.tiers.map(({ start }) => start) : [],
  );
  return {
    below: Math.min(Number.POSITIVE_INFINITY, ...starts),
    input: priceOf({}),
    cached: priceOf({ cached: 1 }),
    cacheWrite: priceOf({ cacheWrite: 1 }),
    output: priceOf({ input: 0, output: 1 }),
  };
}

function priceAt({ input, cached, cacheWrite, output }: Rates, usage: TokenUsage): number {
  const plain = usage.inputTokens - usage.cachedInputTokens - usage.cacheWriteInputTokens;
  return (
    plain * input +
    usage.cachedInputTokens * cached +
    usage.cacheWriteInputTokens * cacheWrite +
    usage.outputTokens * output
  );
}

const require = createRequire(import.meta.url);
let library: Library | undefined;

/** 800 KB of tables that take 40 ms to load: only who asks for a price pays that. */
function prices(): Library {
  library ??= require('@pydantic/genai-prices') as Library;
  return library;
}
