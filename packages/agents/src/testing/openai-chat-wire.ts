/** OpenAI's chat completions, which many other providers speak too. */
import { modelServerUsage, serverSentEvent, type Wire, type WireAnswer } from './wire.ts';

export const openaiChatWire: Wire = {
  whole: (answer) => {
    const content = answer.tool === undefined ? answer.pieces.join('') : null;
    const message = { role: 'assistant', content, ...toolCalls(answer) };
    return { ...head(answer, 'chat.completion'), choices: [{ index: 0, message, ...finish(answer) }], usage };
  },
  stream: (answer) => {
    const chunk = (delta: object, more: object = { finish_reason: null }) =>
      serverSentEvent({ ...head(answer, 'chat.completion.chunk'), choices: [{ index: 0, delta, ...more }] });
    return [
      chunk({ role: 'assistant', content: '' }),
      ...answer.pieces.map((content) => chunk({ content })),
      ...(answer.tool === undefined ? [] : [chunk(toolCalls(answer))]),
      chunk({}, finish(answer)),
      serverSentEvent({ ...head(answer, 'chat.completion.chunk'), choices: [], usage }),
      serverSentEvent('[DONE]'),
    ];
  },
  error: (status, message) => ({
    error: { message, type: errorTypes[status] ?? 'server_error', param: null, code: codes[status] ?? null },
  }),
};

const errorTypes: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'invalid_request_error',
  404: 'invalid_request_error',
  429: 'requests',
};

const codes: Readonly<Record<number, string>> = { 401: 'invalid_api_key', 429: 'rate_limit_exceeded' };

const { input, cached, output } = modelServerUsage;
const usage = {
  ...{ prompt_tokens: input, completion_tokens: output, total_tokens: input + output },
  prompt_tokens_details: { cached_tokens: cached },
  completion_tokens_details: { reasoning_tokens: 0 },
};

function head({ id, model }: WireAnswer, object: string) {
  return { id: `chatcmpl-${id}`, object, created: 1_790_000_000, model };
}

function toolCalls({ id, tool }: WireAnswer): object {
  if (tool === undefined) return {};
  const call = { name: tool.name, arguments: JSON.stringify(tool.input) };
  return { tool_calls: [{ index: 0, id: `call_${id}`, type: 'function', function: call }] };
}

function finish({ tool }: WireAnswer) {
  return { finish_reason: tool === undefined ? 'stop' : 'tool_calls' };
}
