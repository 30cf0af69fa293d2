/** Gemini's `streamGenerateContent`. */
import { countOf, type Fields, fieldsOf, isFields, listOf, numberOf, textOf } from '../fields.ts';
import type { ModelAnswer, ModelQuestion, Piece, Provider } from './provider.ts';

export const gemini: Provider = {
  prefix: 'GEMINI',
  baseUrl: 'https://generativelanguage.googleapis.com',
  path: ({ model }) => `/v1beta/models/${encodeURIComponent(model)}:streamGenerateContent?alt=sse`,
  headers: (key) => ({ 'x-goog-api-key': key }),
  body: ({ messages, system, effort, maxOutputTokens, schema }: ModelQuestion) => ({
    contents: messages.map(({ role, text }) => ({ role: role === 'user' ? 'user' : 'model', parts: [{ text }] })),
    ...(system === undefined ? {} : { systemInstruction: { parts: [{ text: system }] } }),
    generationConfig: {
      maxOutputTokens,
      ...(effort === undefined ? {} : { thinkingConfig: { thinkingBudget: thinkingTokens[effort] } }),
      ...(schema === undefined ? {} : { responseMimeType: 'application/json', responseJsonSchema: schema }),
    },
  }),
  read,
};

const thinkingTokens = { low: 1024, medium: 8192, high: 24_576 };

function read(event: Fields, answer: ModelAnswer): readonly Piece[] {
  if (isFields(event.error)) {
    const { message, code } = event.error;
    answer.error = { message: textOf(message) ?? 'an error without a message', status: numberOf(code) };
    return [];
  }
  answer.id ??= textOf(event.responseId);
  answer.model ??= textOf(event.modelVersion);
  if (isFields(event.usageMetadata)) {
    const usage = event.usageMetadata;
    const reasoningOutputTokens = countOf(usage.thoughtsTokenCount);
    answer.usage = {
      inputTokens: countOf(usage.promptTokenCount),
      cachedInputTokens: countOf(usage.cachedContentTokenCount),
      cacheWriteInputTokens: 0,
      outputTokens: countOf(usage.candidatesTokenCount) + reasoningOutputTokens,
      reasoningOutputTokens,
    };
  }
  const candidate = fieldsOf(listOf(event.candidates)[0]);
  const reason = candidate.finishReason;
  if (reason === 'STOP') answer.finish = 'stop';
  else if (reason === 'MAX_TOKENS') answer.finish = 'length';
  else if (typeof reason === 'string' || isFields(event.promptFeedback)) answer.finish = 'refused';
  return listOf(fieldsOf(candidate.content).parts).flatMap((value): Piece[] => {
    const part = fieldsOf(value);
    const text = textOf(part.text);
    return text === undefined || text === '' ? [] : [{ type: part.thought === true ? 'thinking' : 'text', text }];
  });
}
