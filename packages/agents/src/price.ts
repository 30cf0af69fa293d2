/**
 * Tokens to US dollars by public list prices. A model without a known price has none: nothing is guessed.
 *
 * Some models cost more per token in a request with a long context. Where the tokens of single requests are known each is
 * priced as it was; where only a sum over many requests is known, every request is taken for a short one, so the figure is
 * a floor.
 */
import { createRequire } from 'node:module';
import type { TokenUsage } from './usage.ts';

export type PriceProvider = 'anthropic' | 'openai' | 'google';

/** US dollars of one request; undefined when the model has no known price. */
export function priceOfRequest(usage: TokenUsage, model: string, provider?: PriceProvider): number | undefined {
  return price(usage, model, provider, 1);
}

/** US dollars of many requests together, as if each were below every long-context threshold. */
export function priceOfSum(usage: TokenUsage, model: string, provider?: PriceProvider): number | undefined {
  // Below a threshold prices are proportional, so a millionth of the tokens costs a millionth and stays below each.
  return price(usage, model, provider, 1e-6);
}

function price(usage: TokenUsage, model: string, provider: PriceProvider | undefined, scale: number) {
  // calcPrice throws on parts that exceed their whole; such numbers are nonsense and have no price.
  if (usage.cachedInputTokens + usage.cacheWriteInputTokens > usage.inputTokens) return undefined;
  const result = prices().calcPrice(
    {
      input_tokens: usage.inputTokens * scale,
      cache_read_tokens: usage.cachedInputTokens * scale,
      cache_write_tokens: usage.cacheWriteInputTokens * scale,
      output_tokens: usage.outputTokens * scale,
    },
    model,
    provider === undefined ? {} : { providerId: provider },
  );
  return result === null ? undefined : result.total_price / scale;
}

const require = createRequire(import.meta.url);
let library: typeof import('@pydantic/genai-prices') | undefined;

/** 800 KB of tables that take 40 ms to load: only who asks for a price pays that. */
function prices(): typeof import('@pydantic/genai-prices') {
  library ??= require('@pydantic/genai-prices') as typeof import('@pydantic/genai-prices');
  return library;
}
