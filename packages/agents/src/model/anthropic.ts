/** Anthropic's Messages API. A structured answer is the input of a tool that the model must call. */
import { countOf, type Fields, fieldsOf, isFields, textOf } from '../fields.ts';
import { noUsage, type TokenUsage } from '../usage.ts';
import type { ModelAnswer, ModelQuestion, Piece, Provider } from './provider.ts';

export const anthropic: Provider = {
  prefix: 'ANTHROPIC',
  baseUrl: 'https://api.anthropic.com',
  path: () => '/v1/messages',
  headers: (key) => ({ 'x-api-key': key, 'anthropic-version': '2023-06-01' }),
  body: ({ model, messages, system, effort, maxOutputTokens, schema }: ModelQuestion) => {
    const budget = effort === undefined ? 0 : thinkingTokens[effort];
    const answer = { name: 'answer', description: 'Gives the answer.', input_schema: schema };
    return {
      ...{ model, max_tokens: maxOutputTokens + budget, stream: true },
      ...(system === undefined ? {} : { system }),
      ...(budget === 0 ? {} : { thinking: { type: 'enabled', budget_tokens: budget } }),
      messages: messages.map(({ role, text }) => ({ role, content: text })),
      // A model that thinks can't be made to call a tool: it is only offered then, and the prompt asks for the same.
      ...(schema === undefined ? {} : { tools: [answer], tool_choice: choice(budget > 0) }),
    };
  },
  read,
};

const thinkingTokens = { low: 1024, medium: 4096, high: 16_384 };

function choice(isFree: boolean): object {
  return isFree ? { type: 'auto' } : { type: 'tool', name: 'answer' };
}

function read(event: Fields, answer: ModelAnswer): readonly Piece[] {
  switch (event.type) {
    case 'message_start': {
      const message = fieldsOf(event.message);
      answer.id = textOf(message.id);
      answer.model = textOf(message.model);
      answer.usage = usageOf(fieldsOf(message.usage), noUsage);
      return [];
    }
    case 'content_block_delta': {
      const delta = fieldsOf(event.delta);
      const piece = (type: Piece['type'], text: unknown) => (typeof text === 'string' ? [{ type, text }] : []);
      if (delta.type === 'text_delta') return piece('text', delta.text);
      if (delta.type === 'thinking_delta') return piece('thinking', delta.thinking);
      return delta.type === 'input_json_delta' ? piece('value', delta.partial_json) : [];
    }
    case 'message_delta': {
      const reason = fieldsOf(event.delta).stop_reason;
      answer.usage = usageOf(fieldsOf(event.usage), answer.usage ?? noUsage);
      answer.finish = reason === 'max_tokens' ? 'length' : reason === 'refusal' ? 'refused' : answer.finish;
      return [];
    }
    case 'message_stop':
      answer.finish ??= 'stop';
      return [];
    case 'error': {
      const error = fieldsOf(event.error);
      const status = error.type === 'rate_limit_error' ? 429 : error.type === 'overloaded_error' ? 529 : 500;
      answer.error = { message: textOf(error.message) ?? 'an error without a message', status };
      return [];
    }
    default:
      return [];
  }
}

/** Its counts stand beside each other, ours inside the input; the last event repeats only what changed. */
function usageOf(usage: Fields, before: TokenUsage): TokenUsage {
  const cachedInputTokens =
    'cache_read_input_tokens' in usage ? countOf(usage.cache_read_input_tokens) : before.cachedInputTokens;
  const cacheWriteInputTokens =
    'cache_creation_input_tokens' in usage ? countOf(usage.cache_creation_input_tokens) : before.cacheWriteInputTokens;
  const plain =
    'input_tokens' in usage
      ? countOf(usage.input_tokens)
      : before.inputTokens - before.cachedInputTokens - before.cacheWriteInputTokens;
  const details = isFields(usage.output_tokens_details) ? usage.output_tokens_details : {};
  return {
    inputTokens: plain + cachedInputTokens + cacheWriteInputTokens,
    cachedInputTokens,
    cacheWriteInputTokens,
    outputTokens: countOf(usage.output_tokens),
    reasoningOutputTokens: countOf(details.thinking_tokens),
  };
}
