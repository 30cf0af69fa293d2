/** A proxy between two Unix-domain sockets that cuts, delays and half-closes. */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

export interface Proxy {
  /** Connections made through it so far. */
  readonly connections: number;
  /** Ends every connection in the middle of whatever it carries. */
  cut(): void;
  /** Ends the direction from the hub to the peer only. */
  halfClose(): void;
  /** Holds everything back until `resume`. */
  pause(): void;
  resume(): void;
  /** Ends so many of the next connections as soon as they are made, as a hub does that dies with them in its queue. */
  refuse(connections: number): void;
  close(): Promise<void>;
}

export async function openProxy(path: string, target: string): Promise<Proxy> {
  const pairs = new Set<readonly [Socket, Socket]>();
  let connections = 0;
  let isPaused = false;
  let refusals = 0;
  const server = createServer({ allowHalfOpen: true }, (inner) => {
    connections++;
    if (refusals > 0) {
      refusals--;
      inner.destroy();
      return;
    }
    const outer = connect({ path: target, allowHalfOpen: true });
    const pair = [inner, outer] as const;
    pairs.add(pair);
    inner.pipe(outer);
    outer.pipe(inner);
    if (isPaused) for (const socket of pair) socket.pause();
    for (const socket of pair) {
      // What is cut is cut; the other side is told by `close`.
      socket.on('error', () => undefined);
      socket.on('close', () => {
        pairs.delete(pair);
        for (const each of pair) each.destroy();
      });
    }
  });
  server.listen(path);
  await once(server, 'listening');
  return {
    get connections() {
      return connections;
    },
    cut() {
      for (const [inner, outer] of pairs) {
        inner.destroy();
        outer.destroy();
      }
    },
    halfClose() {
      for (const [inner, outer] of pairs) {
        outer.unpipe(inner);
        inner.end();
      }
    },
    pause() {
      isPaused = true;
      for (const pair of pairs) for (const socket of pair) socket.pause();
    },
    resume() {
      isPaused = false;
      for (const pair of pairs) for (const socket of pair) socket.resume();
    },
    refuse(count) {
      refusals = count;
    },
    async close() {
      const closed = once(server, 'close');
      server.close();
      for (const pair of pairs) for (const socket of pair) socket.destroy();
      await closed;
    },
  };
}
