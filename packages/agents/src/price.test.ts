import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { priceOfRequest, priceOfSum } from './price.ts';
import { noUsage } from './usage.ts';

const usage = { ...noUsage, inputTokens: 160, cachedInputTokens: 30, cacheWriteInputTokens: 10, outputTokens: 7 };

describe('priceOfRequest', () => {
  test('agrees with what Claude Code reports for the same tokens', () => {
    expect(priceOfRequest(usage, 'claude-sonnet-4-5', 'anthropic')).toBeCloseTo(0.0005115, 10);
  });

  test.for(['sonnet', 'my-custom-model-x', ''])('has no price for the model %j', (model) => {
    expect(priceOfRequest(usage, model, 'anthropic')).toBeUndefined();
  });

  test('has no price for parts that exceed their whole', () => {
    expect(priceOfRequest({ ...usage, cachedInputTokens: 999 }, 'gpt-5.1-codex', 'openai')).toBeUndefined();
  });
});

describe('priceOfSum', () => {
  test('takes a million tokens for many short requests, not for one long one', () => {
    const sum = { ...noUsage, inputTokens: 1_000_000 };
    expect(priceOfSum(sum, 'gpt-5.4', 'openai')).toBeCloseTo(2.5, 6);
    expect(priceOfRequest(sum, 'gpt-5.4', 'openai')).toBeGreaterThan(4);
  });

  test('is never negative and never shrinks with more tokens', () => {
    fc.assert(
      fc.property(fc.nat(1e9), fc.nat(1e9), (inputTokens, outputTokens) => {
        const less = priceOfSum({ ...noUsage, inputTokens, outputTokens }, 'gpt-5.4', 'openai') ?? -1;
        const more =
          priceOfSum({ ...noUsage, inputTokens, outputTokens: outputTokens + 1000 }, 'gpt-5.4', 'openai') ?? -1;
        expect(less).toBeGreaterThanOrEqual(0);
        expect(more).toBeGreaterThan(less);
      }),
    );
  });
});
