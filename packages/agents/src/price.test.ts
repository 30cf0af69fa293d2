import { calcPrice } from '@pydantic/genai-prices';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createPriceBook, listPrices } from './price.ts';
import { noUsage } from './usage.ts';

const usage = { ...noUsage, inputTokens: 160, cachedInputTokens: 30, cacheWriteInputTokens: 10, outputTokens: 7 };

describe('PriceBook.ofRequest', () => {
  test('agrees with what Claude Code reports for the same tokens', () => {
    expect(listPrices.ofRequest(usage, 'claude-sonnet-4-5', 'anthropic')).toBeCloseTo(0.0005115, 10);
  });

  test.for(['sonnet', 'my-custom-model-x', ''])('has no price for the model %j', (model) => {
    expect(listPrices.ofRequest(usage, model, 'anthropic')).toBeUndefined();
  });

  test('has no price for parts that exceed their whole', () => {
    expect(listPrices.ofRequest({ ...usage, cachedInputTokens: 999 }, 'gpt-5.1-codex', 'openai')).toBeUndefined();
  });
});

describe('PriceBook.ofSum', () => {
  test('takes a million tokens for many short requests, not for one long one', () => {
    const sum = { ...noUsage, inputTokens: 1_000_000 };
    expect(listPrices.ofSum(sum, 'gpt-5.4', 'openai')).toBeCloseTo(2.5, 6);
    expect(listPrices.ofRequest(sum, 'gpt-5.4', 'openai')).toBeGreaterThan(4);
  });

  test('is never negative and never shrinks with more tokens', () => {
    fc.assert(
      fc.property(fc.nat(1e9), fc.nat(1e9), (inputTokens, outputTokens) => {
        const less = listPrices.ofSum({ ...noUsage, inputTokens, outputTokens }, 'gpt-5.4', 'openai') ?? -1;
        const more =
          listPrices.ofSum({ ...noUsage, inputTokens, outputTokens: outputTokens + 1000 }, 'gpt-5.4', 'openai') ?? -1;
        expect(less).toBeGreaterThanOrEqual(0);
        expect(more).toBeGreaterThan(less);
      }),
    );
  });
});

describe('list prices', () => {
  const models = [
    ...['claude-sonnet-4-5', 'claude-opus-4-1', 'claude-haiku-4-5'].map((model) => ['anthropic', model] as const),
    ...['gpt-5.1-codex', 'gpt-5.4', 'gpt-4o', 'o3'].map((model) => ['openai', model] as const),
    ...['gemini-2.5-flash', 'gemini-2.5-pro', 'gemini-3-pro-preview'].map((model) => ['google', model] as const),
    ...([
      ['deepseek', 'deepseek-chat'],
      ['x-ai', 'grok-4'],
      ['perplexity', 'sonar'],
      ['mistral', 'mistral-large-latest'],
    ] as const),
  ] as const;

  test('are those of the tables, token by token, below and above every threshold', () => {
    let [known, long] = [0, 0];
    const tokens = fc.oneof(fc.nat(1000), fc.nat(1_000_000));
    fc.assert(
      fc.property(
        fc.constantFrom(...models),
        tokens,
        tokens,
        tokens,
        tokens,
        ([provider, model], plain, read, write, out) => {
          const inputTokens = plain + read + write;
          const asked = {
            ...noUsage,
            inputTokens,
            cachedInputTokens: read,
            cacheWriteInputTokens: write,
            outputTokens: out,
          };
          const theirs = calcPrice(
            { input_tokens: inputTokens, cache_read_tokens: read, cache_write_tokens: write, output_tokens: out },
            model,
            { providerId: provider },
          );
          const ours = listPrices.ofRequest(asked, model, provider);
          if (theirs === null) return expect(ours).toBeUndefined();
          known += 1;
          if (inputTokens > 200_000) long += 1;
          expect(Math.abs((ours ?? -1) - theirs.total_price)).toBeLessThanOrEqual(theirs.total_price * 1e-9);
        },
      ),
      { numRuns: 3000, seed: 1 },
    );
    expect(known).toBeGreaterThan(2000);
    // Naive version that fails here: the rates of a single token, whatever the length of the request.
    expect(long).toBeGreaterThan(1000);
  });
});

describe('createPriceBook', () => {
  const own = createPriceBook({ 'my-model': { inputUsd: 2, outputUsd: 10, cachedInputUsd: 0.5 } });

  test('prices a model that only its user knows', () => {
    expect(own.ofRequest(usage, 'my-model')).toBeCloseTo((130 * 2 + 30 * 0.5 + 7 * 10) / 1e6, 12);
    expect(own.ofSum(usage, 'my-model')).toBe(own.ofRequest(usage, 'my-model'));
    expect(own.ofRequest(usage, 'another-model')).toBeUndefined();
  });

  test('gives the same price at the second look-up, which goes past the tables', () => {
    const first = listPrices.ofRequest(usage, 'gpt-5.1-codex', 'openai');
    expect(listPrices.ofRequest(usage, 'gpt-5.1-codex', 'openai')).toBe(first);
    expect(listPrices.ofSum(usage, 'gpt-5.1-codex', 'openai')).toBeCloseTo(first ?? 0, 12);
    expect(listPrices.ofRequest(usage, 'nobody-knows')).toBe(listPrices.ofRequest(usage, 'nobody-knows'));
  });

  test.for([-1, Number.NaN, Infinity])('refuses the price %d', (inputUsd) => {
    expect(() => createPriceBook({ m: { inputUsd, outputUsd: 1 } })).toThrow(RangeError);
  });
});
