/** Anthropic's Messages API, as far as agent programs read it. */
import { modelServerUsage, serverSentEvent, type Wire, type WireAnswer } from './wire.ts';

export const anthropicWire: Wire = {
  whole: (answer) => ({
    ...message(answer),
    content: [
      ...answer.pieces.map((text) => ({ type: 'text', text })),
      ...(answer.tool === undefined ? [] : [toolBlock(answer, answer.tool.input)]),
    ],
    ...{ stop_reason: stopReason(answer), usage: { ...inputUsage, output_tokens: output } },
  }),
  stream: (answer) => {
    const events: { readonly type: string }[] = [{ type: 'message_start', ...{ message: message(answer) } }];
    const delta = (more: object) => events.push({ type: 'content_block_delta', ...{ index: 0, delta: more } });
    const block = answer.tool === undefined ? { type: 'text', text: '' } : toolBlock(answer, {});
    events.push({ type: 'content_block_start', ...{ index: 0, content_block: block } });
    for (const text of answer.pieces) delta({ type: 'text_delta', text });
    if (answer.tool !== undefined) {
      delta({ type: 'input_json_delta', partial_json: JSON.stringify(answer.tool.input) });
    }
    events.push({ type: 'content_block_stop', ...{ index: 0 } });
    const usage = { output_tokens: output };
    events.push({
      type: 'message_delta',
      ...{ delta: { stop_reason: stopReason(answer), stop_sequence: null }, usage },
    });
    events.push({ type: 'message_stop' });
    return events.map((event) => serverSentEvent(event, event.type));
  },
  error: (status, message) => ({ type: 'error', error: { type: errorTypes[status] ?? 'api_error', message } }),
};

const errorTypes: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  429: 'rate_limit_error',
  529: 'overloaded_error',
};

const { input, cached, cacheWrite, output } = modelServerUsage;
const inputUsage = {
  input_tokens: input - cached - cacheWrite,
  cache_creation_input_tokens: cacheWrite,
  cache_read_input_tokens: cached,
};

function message({ id, model }: WireAnswer) {
  return {
    ...{ id: `msg_${id}`, type: 'message', role: 'assistant', model, content: [] as object[] },
    ...{ stop_reason: null as string | null, stop_sequence: null, usage: { ...inputUsage, output_tokens: 1 } },
  };
}

function toolBlock({ id, tool }: WireAnswer, value: object) {
  return { type: 'tool_use', id: `toolu_${id}`, name: tool?.name ?? '', input: value };
}

function stopReason(answer: WireAnswer): string {
  return answer.tool === undefined ? 'end_turn' : 'tool_use';
}
