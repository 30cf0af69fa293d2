/** OpenAI's chat completions, in the part that other providers speak too. */
import { countOf, type Fields, fieldsOf, isFields, listOf, numberOf, textOf } from '../fields.ts';
import type { ModelAnswer, ModelQuestion, Piece, Provider } from './provider.ts';

export const openai: Provider = {
  prefix: 'OPENAI',
  baseUrl: 'https://api.openai.com/v1',
  path: () => '/chat/completions',
  headers: (key) => ({ authorization: `Bearer ${key}` }),
  body: ({ model, messages, system, effort, maxOutputTokens, schema }: ModelQuestion) => ({
    ...{ model, stream: true, stream_options: { include_usage: true }, max_completion_tokens: maxOutputTokens },
    ...(effort === undefined ? {} : { reasoning_effort: effort }),
    messages: [
      ...(system === undefined ? [] : [{ role: 'system', content: system }]),
      ...messages.map(({ role, text }) => ({ role, content: text })),
    ],
    ...(schema === undefined
      ? {}
      : { response_format: { type: 'json_schema', json_schema: { name: 'answer', schema, strict: false } } }),
  }),
  read,
};

function read(event: Fields, answer: ModelAnswer): readonly Piece[] {
  if (isFields(event.error)) {
    const { message, status } = event.error;
    answer.error = { message: textOf(message) ?? 'an error without a message', status: numberOf(status) };
    return [];
  }
  answer.id ??= textOf(event.id);
  answer.model ??= textOf(event.model);
  if (isFields(event.usage)) {
    const { usage } = event;
    answer.usage = {
      inputTokens: countOf(usage.prompt_tokens),
      cachedInputTokens: countOf(fieldsOf(usage.prompt_tokens_details).cached_tokens),
      cacheWriteInputTokens: 0,
      outputTokens: countOf(usage.completion_tokens),
      reasoningOutputTokens: countOf(fieldsOf(usage.completion_tokens_details).reasoning_tokens),
    };
  }
  const choice = fieldsOf(listOf(event.choices)[0]);
  const delta = fieldsOf(choice.delta);
  const reason = choice.finish_reason;
  if (typeof reason === 'string') {
    answer.finish = reason === 'length' ? 'length' : reason === 'content_filter' ? 'refused' : 'stop';
  }
  const pieces: Piece[] = [];
  const thought = textOf(delta.reasoning_content) ?? textOf(delta.reasoning);
  if (thought !== undefined && thought !== '') pieces.push({ type: 'thinking', text: thought });
  if (typeof delta.content === 'string' && delta.content !== '') pieces.push({ type: 'text', text: delta.content });
  return pieces;
}
