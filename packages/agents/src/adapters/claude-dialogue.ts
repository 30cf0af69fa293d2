/**
 * What is said to a running Claude Code: JSON lines on its stdin. It asks whether it may use a tool; whatever else it asks
 * (hooks, MCP, forms) is for hosts that offered it, which we never do: it is told so at once instead of left waiting.
 */
import type { Dialogue } from '../adapter.ts';
import { fieldsOf, textOf } from '../fields.ts';

export const claudeDialogue: Dialogue = {
  turn: (prompt) =>
    line({
      type: 'user',
      message: { role: 'user', content: [{ type: 'text', text: prompt }] },
      ...{ parent_tool_use_id: null, session_id: '' },
    }),
  automatic: (value) => {
    const { type, request_id: id, request } = fieldsOf(value);
    if (type !== 'control_request' || typeof id !== 'string') return undefined;
    const subtype = textOf(fieldsOf(request).subtype) ?? 'unnamed';
    if (subtype === 'can_use_tool') return undefined;
    const error = `This host does not answer ${subtype}.`;
    return line({ type: 'control_response', response: { subtype: 'error', request_id: id, error } });
  },
  withdrawn: (value) => {
    const { type, request_id: id } = fieldsOf(value);
    return type === 'control_cancel_request' ? textOf(id) : undefined;
  },
  answer: (id, input, answer) => {
    const response = answer.allow
      ? { behavior: 'allow', updatedInput: answer.input ?? input ?? {} }
      : { behavior: 'deny', message: answer.message ?? 'Not allowed.', interrupt: false };
    return line({ type: 'control_response', response: { subtype: 'success', request_id: id, response } });
  },
  interrupt: (id) => line({ type: 'control_request', request_id: id, request: { subtype: 'interrupt' } }),
};

function line(value: object): string {
  return `${JSON.stringify(value)}\n`;
}
