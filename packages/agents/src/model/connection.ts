/** One request to a model API over connections that are kept and used again. */
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';

const kept = { keepAlive: true, maxFreeSockets: 32, scheduling: 'lifo', timeout: 60_000 } as const;
/** Made on first use and shared by the whole process; a connection that nobody uses keeps no process alive. */
let pools: { readonly http: HttpAgent; readonly https: HttpsAgent } | undefined;

/**
 * Sends the body as JSON and resolves with the response as soon as its headers are there. Its body must be read or destroyed.
 * @throws what the network says, or `signal.reason`
 */
export function post(
  url: URL,
  headers: Readonly<Record<string, string>>,
  body: object,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  pools ??= { http: new HttpAgent(kept), https: new HttpsAgent(kept) };
  const text = JSON.stringify(body);
  const options = {
    ...{ method: 'POST', signal },
    headers: {
      ...{ 'content-type': 'application/json', accept: 'text/event-stream', 'content-length': Buffer.byteLength(text) },
      ...headers,
    },
  };
  return new Promise((resolve, reject) => {
    const request =
      url.protocol === 'https:'
        ? httpsRequest(url, { ...options, agent: pools?.https })
        : httpRequest(url, { ...options, agent: pools?.http });
    request.once('error', (error) => reject(signal.aborted ? signal.reason : error));
    request.once('response', resolve);
    // The pool's timeout is for idle connections: a model may think for long before it answers.
    request.setTimeout(0);
    request.end(text);
  });
}
