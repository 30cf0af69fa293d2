// Speaks as Claude Code does over a stdin that stays open: a turn a line, questions in between.
import { createInterface } from 'node:readline';

const resumed = process.argv.find((argument) => argument.startsWith('--resume='))?.slice(9);
const session_id = resumed ?? 'talk-1';
const print = (line) => process.stdout.write(`${JSON.stringify({ session_id, ...line })}\n`);
let turns = 0;
let total = 0;

const settle = (text, more = {}) => {
  total += 0.5;
  const spent = { m: { inputTokens: 10, outputTokens: 1, costUSD: 0.5, costBasis: 'list' } };
  const usage = { total_cost_usd: total, modelUsage: spent, model_usage_since_last_result: spent };
  print({ type: 'result', subtype: 'success', is_error: false, result: text, ...usage, ...more });
};

const question = (request) => print({ type: 'control_request', request_id: 'q1', request });

function turn(prompt) {
  turns += 1;
  print({ type: 'system', subtype: 'init', model: 'm' });
  if (prompt === 'die') process.exit(3);
  if (prompt === 'wait') return;
  if (prompt === 'flood') return process.stdout.write('x'.repeat(5000));
  if (prompt === 'hook') return question({ subtype: 'hook_callback' });
  if (prompt.startsWith('ask')) {
    question({ subtype: 'can_use_tool', tool_name: 'Bash', input: { command: 'ls' }, description: 'lists files' });
    if (prompt === 'ask') return;
    print({ type: 'control_cancel_request', request_id: 'q1' });
    return settle('withdrawn');
  }
  settle(resumed === undefined ? `turn ${turns}: ${prompt}` : `turn ${turns} of ${resumed}: ${prompt}`);
}

for await (const text of createInterface({ input: process.stdin })) {
  const line = JSON.parse(text);
  if (line.type === 'user') turn(line.message.content[0].text);
  else if (line.type === 'control_response') {
    const { response, error } = line.response;
    settle(error ?? `${response.behavior} ${response.message ?? JSON.stringify(response.updatedInput)}`);
  } else if (line.request?.subtype === 'interrupt') {
    print({ type: 'control_response', response: { subtype: 'success', request_id: line.request_id, response: {} } });
    settle('', { subtype: 'error_during_execution', is_error: true, terminal_reason: 'aborted_streaming' });
  }
}
