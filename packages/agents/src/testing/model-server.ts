/**
 * A model provider on loopback that does as it is told: it speaks Anthropic Messages, OpenAI Responses, OpenAI chat
 * completions and Gemini, streaming and not, so that real agent programs and the `model` adapter are run against every
 * answer a provider can give without a key, a network or a bill.
 *
 * A *behaviour* is what it does with one request.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { fieldsOf, given, isFields, listOf, textOf } from '../fields.ts';
import { anthropicWire } from './anthropic-wire.ts';
import { geminiWire } from './gemini-wire.ts';
import { openaiChatWire } from './openai-chat-wire.ts';
import { openaiResponsesWire } from './openai-responses-wire.ts';
import { modelServerUsage, type Wire, type WireAnswer } from './wire.ts';

/** The APIs that the loopback server speaks: Messages, Responses, Chat Completions, and that of Gemini. */
export type ModelApi = 'anthropic' | 'openaiResponses' | 'openaiChat' | 'gemini';

/** What one request is answered with. Texts have defaults, so `{ type: 'reply' }` is enough. */
export type ModelBehaviour =
  /** @default text 'Hello from the loopback model.' */
  | { readonly type: 'reply'; readonly text?: string }
  /** A call of a tool; a request that already brings a tool's result is answered by `reply`, unless it is `always`. */
  | {
      readonly type: 'tool';
      readonly name: string;
      /** Where the tool was offered in one, as OpenAI's Responses API can; other APIs have none. */
      readonly namespace?: string;
      readonly input: object;
      readonly reply?: string;
      /** @default false */
      readonly always?: boolean;
    }
  | {
      readonly type: 'error';
      readonly status: number;
      readonly message?: string;
      readonly headers?: Readonly<Record<string, string>>;
    }
  /** Takes the request and never answers. */
  | { readonly type: 'hang' }
  /** Streams the text in so many pieces with a pause before each. @default pieces 5 */
  | { readonly type: 'slow'; readonly delayMs: number; readonly pieces?: number; readonly text?: string }
  /** Cuts the connection: before the headers, or (`afterPieces`) in mid-stream. @default afterPieces 0 */
  | { readonly type: 'drop'; readonly afterPieces?: number };

export interface ModelRequest {
  readonly api: ModelApi;
  readonly path: string;
  readonly model: string;
  readonly streaming: boolean;
  /** Whether it brings the result of a tool call. */
  readonly hasToolResult: boolean;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Readonly<Record<string, unknown>>;
  /** The connection it came over, counted from 1. */
  readonly connection: number;
}

export interface ModelServer extends AsyncDisposable {
  /** `http://127.0.0.1:<port>`, without a path: APIs of OpenAI's kind are below `/v1`. */
  readonly url: string;
  /** Every request for an answer, in order of arrival. */
  readonly requests: readonly ModelRequest[];
  /** What is done from now on. A list is used up one by one, its last entry for good. */
  behave(behaviour: ModelBehaviour | readonly ModelBehaviour[] | ((request: ModelRequest) => ModelBehaviour)): void;
  /** Cuts every connection. */
  close(): Promise<void>;
}

/** Listens on a free port of 127.0.0.1. */
export async function openModelServer(
  first: Parameters<ModelServer['behave']>[0] = { type: 'reply' },
): Promise<ModelServer> {
  const requests: ModelRequest[] = [];
  const stop = new AbortController();
  const connections = new WeakMap<object, number>();
  let connectionCount = 0;
  let choose = chooser(first);
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      // The peer went away, or sent what is no JSON: only the latter still has somebody to tell.
      if (response.headersSent) response.destroy();
      else response.writeHead(400).end(String(error));
    });
  });
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const path = request.url ?? '';
    const route = routeOf(request.method ?? '', path);
    if (route === undefined) return void (await answerAside(request, response, path));
    const body: unknown = await json(request);
    const asked: ModelRequest = {
      ...{ api: route.api, path, body: fieldsOf(body), connection: connections.get(request.socket) ?? 0 },
      model: route.model ?? textOf(fieldsOf(body).model) ?? '',
      streaming: route.streaming ?? fieldsOf(body).stream === true,
      hasToolResult: bringsToolResult(fieldsOf(body)),
      headers: Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)])),
    };
    requests.push(asked);
    await act(choose(asked), asked, requests.length, response, stop.signal);
  };
  server.on('connection', (socket) => {
    connectionCount += 1;
    connections.set(socket, connectionCount);
    // A client that ends in mid-request is what these tests are about.
    socket.on('error', () => undefined);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  let closing: Promise<void> | undefined;
  const close = () => {
    stop.abort();
    closing ??= new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
    return closing;
  };
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    behave: (behaviour) => {
      choose = chooser(behaviour);
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

const wires: Readonly<Record<ModelApi, Wire>> = {
  anthropic: anthropicWire,
  openaiResponses: openaiResponsesWire,
  openaiChat: openaiChatWire,
  gemini: geminiWire,
};

function chooser(behaviour: Parameters<ModelServer['behave']>[0]): (request: ModelRequest) => ModelBehaviour {
  if (typeof behaviour === 'function') return behaviour;
  const list = Array.isArray(behaviour) ? [...behaviour] : [behaviour];
  if (list.length === 0) throw new TypeError('Expected at least one behaviour, got an empty list.');
  return () => (list.length > 1 ? list.shift() : list[0]) ?? { type: 'reply' };
}

interface Route {
  readonly api: ModelApi;
  readonly model?: string;
  readonly streaming?: boolean;
}

function routeOf(method: string, url: string): Route | undefined {
  const path = url.split('?')[0] ?? '';
  if (method !== 'POST') return undefined;
  if (path.endsWith('/messages')) return { api: 'anthropic' };
  if (path.endsWith('/responses')) return { api: 'openaiResponses' };
  if (path.endsWith('/chat/completions')) return { api: 'openaiChat' };
  const gemini = /\/models\/([^/:]+):(generateContent|streamGenerateContent)$/.exec(path);
  if (gemini === null) return undefined;
  return { api: 'gemini', model: gemini[1] ?? '', streaming: gemini[2] === 'streamGenerateContent' };
}

/** Requests that are no question to a model: counting tokens, listing models, a look whether anybody is there. */
async function answerAside(request: IncomingMessage, response: ServerResponse, path: string): Promise<void> {
  request.resume();
  const found = path.includes('count_tokens')
    ? { input_tokens: modelServerUsage.input }
    : path.includes(':countTokens')
      ? { totalTokens: modelServerUsage.input }
      : /\/models(?:\?|$)/.test(path)
        ? { object: 'list', data: [], models: [] }
        : undefined;
  if (request.method === 'HEAD') response.writeHead(200).end();
  else if (found === undefined) respond(response, 404, { error: { message: `nothing is served at ${path}` } });
  else respond(response, 200, found);
}

async function act(
  behaviour: ModelBehaviour,
  request: ModelRequest,
  id: number,
  response: ServerResponse,
  signal: AbortSignal,
): Promise<void> {
  const wire = wires[request.api];
  switch (behaviour.type) {
    case 'error': {
      const { status, message = `status ${status} from the loopback model`, headers = {} } = behaviour;
      return respond(response, status, wire.error(status, message), headers);
    }
    case 'hang':
      return;
    case 'drop':
      if ((behaviour.afterPieces ?? 0) === 0 || !request.streaming) return void response.destroy();
  }
  const answer = answerOf(behaviour, request, id);
  if (!request.streaming) return respond(response, 200, wire.whole(answer));
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
  // An array of JSON objects is what Gemini streams where nobody asked for events; none of the programs does.
  for (const [index, piece] of wire.stream(answer).entries()) {
    if (behaviour.type === 'drop' && index === behaviour.afterPieces) return void response.destroy();
    if (behaviour.type === 'slow') await delay(behaviour.delayMs, undefined, { signal });
    // Until it is on its way: what is destroyed right after a write was never sent.
    await new Promise((resolve) => response.write(piece, resolve));
  }
  if (behaviour.type === 'drop') response.destroy();
  else response.end();
}

function answerOf(behaviour: ModelBehaviour, request: ModelRequest, id: number): WireAnswer {
  const said = 'text' in behaviour ? behaviour.text : undefined;
  const text = said ?? (behaviour.type === 'tool' ? behaviour.reply : undefined) ?? 'Hello from the loopback model.';
  const count = behaviour.type === 'slow' || behaviour.type === 'drop' ? 5 : 1;
  const pieces = cut(text, behaviour.type === 'slow' ? (behaviour.pieces ?? count) : count);
  const { model } = request;
  if (behaviour.type !== 'tool' || (request.hasToolResult && behaviour.always !== true)) return { id, model, pieces };
  const { name, namespace, input } = behaviour;
  return { id, model, pieces: [], tool: { name, input, ...given({ namespace }) } };
}

function cut(text: string, count: number): readonly string[] {
  const length = Math.max(1, Math.ceil(text.length / count));
  const pieces: string[] = [];
  for (let start = 0; start < text.length; start += length) pieces.push(text.slice(start, start + length));
  return pieces;
}

function respond(
  response: ServerResponse,
  status: number,
  body: object,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

function bringsToolResult(body: Readonly<Record<string, unknown>>): boolean {
  const turns = [...listOf(body.messages), ...listOf(body.input), ...listOf(body.contents)].map(fieldsOf);
  return turns.some(
    (turn) =>
      turn.role === 'tool' ||
      turn.type === 'function_call_output' ||
      listOf(turn.content).some((block) => fieldsOf(block).type === 'tool_result') ||
      listOf(turn.parts).some((part) => isFields(fieldsOf(part).functionResponse)),
  );
}
