/** OpenAI's Responses API. */
import { given } from '../fields.ts';
import { openaiChatWire } from './openai-chat-wire.ts';
import { modelServerUsage, serverSentEvent, type Wire, type WireAnswer } from './wire.ts';

export const openaiResponsesWire: Wire = {
  whole: (answer) => ({ ...response(answer), status: 'completed', output: [item(answer)], usage }),
  stream: (answer) => {
    const events: { readonly type: string }[] = [];
    const say = (type: string, more: object) => events.push({ type, ...{ sequence_number: events.length }, ...more });
    say('response.created', { response: { ...response(answer), status: 'in_progress' } });
    say('response.output_item.added', {
      output_index: 0,
      item: { ...item(answer), content: [], status: 'in_progress' },
    });
    const place = { item_id: `item_${answer.id}`, output_index: 0, content_index: 0 };
    if (answer.tool === undefined) say('response.content_part.added', { ...place, part: part('') });
    for (const delta of answer.pieces) say('response.output_text.delta', { ...place, delta });
    if (answer.tool === undefined) {
      say('response.output_text.done', { ...place, text: answer.pieces.join('') });
      say('response.content_part.done', { ...place, part: part(answer.pieces.join('')) });
    }
    say('response.output_item.done', { output_index: 0, item: item(answer) });
    say('response.completed', {
      response: { ...response(answer), status: 'completed', output: [item(answer)], usage },
    });
    return events.map((event) => serverSentEvent(event, event.type));
  },
  error: openaiChatWire.error,
};

const { input, cached, output } = modelServerUsage;
const usage = {
  ...{ input_tokens: input, output_tokens: output, total_tokens: input + output },
  input_tokens_details: { cached_tokens: cached },
  output_tokens_details: { reasoning_tokens: 0 },
};

function response({ id, model }: WireAnswer) {
  return { id: `resp_${id}`, object: 'response', created_at: 1_790_000_000, model };
}

function item({ id, tool, pieces }: WireAnswer): object {
  const head = { id: `item_${id}`, status: 'completed' };
  if (tool !== undefined) {
    return {
      ...{ ...head, type: 'function_call', call_id: `call_${id}` },
      ...{ name: tool.name, arguments: JSON.stringify(tool.input), ...given({ namespace: tool.namespace }) },
    };
  }
  return { ...head, type: 'message', role: 'assistant', content: [part(pieces.join(''))] };
}

function part(text: string) {
  return { type: 'output_text', text, annotations: [] };
}
