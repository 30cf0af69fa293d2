/** Gemini's `generateContent` and `streamGenerateContent`. */
import { modelServerUsage, serverSentEvent, type Wire, type WireAnswer } from './wire.ts';

export const geminiWire: Wire = {
  whole: (answer) => chunk(answer, partsOf(answer), true),
  stream: (answer) => {
    const parts = partsOf(answer);
    return parts.map((part, index) => serverSentEvent(chunk(answer, [part], index === parts.length - 1)));
  },
  error: (status, message) => ({ error: { code: status, message, status: names[status] ?? 'INTERNAL' } }),
};

const names: Readonly<Record<number, string>> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  429: 'RESOURCE_EXHAUSTED',
  503: 'UNAVAILABLE',
};

const { input, cached, output } = modelServerUsage;
const usageMetadata = {
  ...{ promptTokenCount: input, candidatesTokenCount: output, totalTokenCount: input + output },
  cachedContentTokenCount: cached,
};

function chunk({ model }: WireAnswer, parts: readonly object[], isLast: boolean) {
  const candidate = { content: { role: 'model', parts }, index: 0, ...(isLast ? { finishReason: 'STOP' } : {}) };
  return { candidates: [candidate], modelVersion: model, ...(isLast ? { usageMetadata } : {}) };
}

function partsOf({ pieces, tool }: WireAnswer): readonly object[] {
  if (tool !== undefined) return [{ functionCall: { name: tool.name, args: tool.input } }];
  return pieces.map((text) => ({ text }));
}
