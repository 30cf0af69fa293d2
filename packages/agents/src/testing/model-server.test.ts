import { describe, expect, test } from 'vitest';
import { type ModelBehaviour, openModelServer } from './model-server.ts';

const apis = [
  ['anthropic', '/v1/messages', { messages: [] }],
  ['openaiResponses', '/v1/responses', { input: [] }],
  ['openaiChat', '/v1/chat/completions', { messages: [] }],
  ['gemini', '/v1beta/models/m:generateContent', { contents: [] }],
] as const;

async function ask(behaviour: ModelBehaviour, path: string, body: object) {
  await using server = await openModelServer(behaviour);
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(server.url + path, {
    method: 'POST',
    headers,
    body: JSON.stringify({ model: 'm', ...body }),
  });
  return { status: response.status, headers: response.headers, text: await response.text(), requests: server.requests };
}

describe.for(apis)('the loopback model as %s', ([api, path, body]) => {
  const streamed = path.replace('generateContent', 'streamGenerateContent');

  test('answers as a whole and as a stream', async () => {
    const whole = await ask({ type: 'reply', text: 'hi there' }, path, body);
    expect(JSON.stringify(JSON.parse(whole.text))).toContain('hi there');
    expect(whole.requests).toMatchObject([{ api, model: 'm', streaming: false, hasToolResult: false }]);
    const stream = await ask({ type: 'slow', delayMs: 0, pieces: 4, text: 'hi there' }, streamed, {
      ...body,
      stream: true,
    });
    expect(stream.headers.get('content-type')).toBe('text/event-stream');
    expect(stream.text.split('\n\n').filter((event) => event !== '').length).toBeGreaterThanOrEqual(4);
    for (const line of stream.text.split('\n')) expect(line).toMatch(/^(?:data: .*|event: [\w.]+|)$/);
  });

  test('calls a tool until its result comes', async () => {
    const tool = { type: 'tool', name: 'ls', input: { path: '.' } } as const;
    expect((await ask(tool, path, body)).text).toContain('"ls"');
    const results = {
      anthropic: { messages: [{ role: 'user', content: [{ type: 'tool_result', tool_use_id: 'x' }] }] },
      openaiResponses: { input: [{ type: 'function_call_output', call_id: 'x', output: '' }] },
      openaiChat: { messages: [{ role: 'tool', content: '' }] },
      gemini: { contents: [{ role: 'user', parts: [{ functionResponse: { name: 'ls' } }] }] },
    };
    expect((await ask(tool, path, results[api])).text).toContain('Hello from the loopback model.');
    expect((await ask({ ...tool, always: true }, path, results[api])).text).toContain('"ls"');
  });

  test('refuses with any status and any header', async () => {
    const refused = await ask(
      { type: 'error', status: 429, headers: { 'retry-after': '7' }, message: 'slow down' },
      path,
      body,
    );
    expect(refused.status).toBe(429);
    expect(refused.headers.get('retry-after')).toBe('7');
    expect(JSON.parse(refused.text).error.message).toBe('slow down');
  });

  test('drops the connection', async () => {
    await expect(ask({ type: 'drop' }, path, body)).rejects.toThrow();
    await expect(ask({ type: 'drop', afterPieces: 1 }, streamed, { ...body, stream: true })).rejects.toThrow();
  });
});

describe('openModelServer', () => {
  test('uses up a list of behaviours, the last for good, and changes them at will', async () => {
    await using server = await openModelServer([{ type: 'error', status: 500 }, { type: 'reply' }]);
    const post = async () => (await fetch(`${server.url}/v1/messages`, { method: 'POST', body: '{}' })).status;
    expect([await post(), await post(), await post()]).toEqual([500, 200, 200]);
    server.behave(({ body }) => ({ type: 'error', status: 'model' in body ? 400 : 418 }));
    expect(await post()).toBe(418);
    expect(() => server.behave([])).toThrow(TypeError);
  });

  test('listens on loopback alone, and cuts what hangs when it is closed', async () => {
    const server = await openModelServer({ type: 'hang' });
    expect(server.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    const hanging = expect(fetch(`${server.url}/v1/messages`, { method: 'POST', body: '{}' })).rejects.toThrow();
    while (server.requests.length === 0) await new Promise((resolve) => setImmediate(resolve));
    await server.close();
    await server.close();
    await hanging;
  });

  test('answers what is no question to a model', async () => {
    await using server = await openModelServer();
    const post = (path: string) => fetch(server.url + path, { method: 'POST', body: '{}' });
    expect(await (await post('/v1/messages/count_tokens')).json()).toEqual({ input_tokens: 160 });
    expect((await fetch(`${server.url}/v1/models`)).status).toBe(200);
    expect((await post('/elsewhere')).status).toBe(404);
    expect((await fetch(`${server.url}/v1/messages`, { method: 'POST' })).status).toBe(400);
    expect(server.requests).toEqual([]);
  });
});
