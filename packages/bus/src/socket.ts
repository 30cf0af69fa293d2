/**
 * Across the processes of one machine: a hub on a Unix-domain socket, inside any process, and peers that connect to it. Only
 * the user who started the hub can open the socket (mode 0600), and only who knows its token is heard.
 */
import { randomBytes } from 'node:crypto';
import { chmod, open, readFile, rename, stat, unlink } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Connect } from './connection.ts';
import { BusError } from './errors.ts';
import { Hub, type HubStatus } from './hub.ts';
import type { HubLimits, PeerLimits } from './limits.ts';
import { openLocalTransport } from './local-transport.ts';
import { openPeer } from './peer.ts';
import { StatusFeed } from './status.ts';
import type { Transport } from './transport.ts';
import type { Wire } from './wire.ts';

export type { HubLimits, HubStatus, PeerLimits };

export interface SocketHubOptions extends HubLimits {
  /** Of the socket. Its folder must exist; at most 90 bytes. */
  readonly path: string;
  /** @default read from `<path>.token`, which is made with a random one (mode 0600) where it is missing */
  readonly token?: string;
}

export interface SocketTransportOptions extends PeerLimits {
  readonly path: string;
  /** @default read from `<path>.token` */
  readonly token?: string;
}

export interface SocketHub extends AsyncDisposable {
  readonly path: string;
  /** Of the peers that are connected. */
  readonly peers: readonly string[];
  /** Bytes on their way to peers. */
  readonly waitingBytes: number;
  /** A transport for the process that the hub is in, without a socket between. */
  connect(limits?: PeerLimits): Promise<Transport>;
  /** Peers that join, are lost, are slow or are refused, from now on; the last 256 where nobody reads. */
  status(): AsyncIterableIterator<HubStatus>;
  /** Ends every connection. Peers keep what they publish and try to come back. Idempotent. */
  close(): Promise<void>;
}

/**
 * @throws {BusError} BUS_HUB_RUNNING when another hub answers at `path`; what a crashed one left there is replaced
 * @throws whatever the file system says about `path`
 */
export async function openSocketHub(options: SocketHubOptions): Promise<SocketHub> {
  const { path, token, ...limits } = options;
  checkPath(path);
  const hub = new UnixSocketHub(path, token ?? (await readOrMakeToken(path)), limits);
  await hub.listen();
  return hub;
}

/** @throws {BusError} BUS_UNREACHABLE when no hub answers · BUS_REFUSED when the token is wrong */
export async function openSocketTransport(options: SocketTransportOptions): Promise<Transport> {
  const { path, token, ...limits } = options;
  checkPath(path);
  return openPeer({
    name: `socket ${path}`,
    token: token ?? (await readToken(path)),
    connect: connectTo(path),
    reconnects: true,
    limits,
  });
}

class UnixSocketHub implements SocketHub {
  readonly path: string;
  readonly #hub: Hub;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #status = new StatusFeed<HubStatus>();
  #inode: number | undefined;
  #closing: Promise<void> | undefined;

  constructor(path: string, token: string, limits: HubLimits) {
    this.path = path;
    this.#hub = new Hub(token, limits, (status) => this.#status.tell(status));
    this.#server = createServer((socket) => this.#accept(socket));
  }

  get peers(): readonly string[] {
    return this.#hub.peers;
  }

  get waitingBytes(): number {
    return this.#hub.waitingBytes;
  }

  async listen(): Promise<void> {
    if (await isAnswering(this.path)) {
      throw new BusError('BUS_HUB_RUNNING', `A hub is running at ${this.path}; connect to it, or choose another path`);
    }
    // Nobody can connect before the mode is right: until then the socket has another, random name.
    const hidden = `${this.path}.${randomBytes(4).toString('hex')}`;
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(hidden, resolve);
    });
    await chmod(hidden, 0o600);
    this.#inode = (await stat(hidden)).ino;
    await rename(hidden, this.path);
  }

  connect(limits: PeerLimits = {}): Promise<Transport> {
    return openLocalTransport(this.#hub, `socket ${this.path}`, limits);
  }

  status(): AsyncIterableIterator<HubStatus> {
    return this.#status.read();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket);
    const wire: Wire = {
      write: (bytes) => void socket.write(bytes),
      end: () => endSoon(socket),
    };
    const peer = this.#hub.accept(wire);
    socket.on('data', (chunk) => {
      try {
        peer.push(chunk);
      } catch {
        // What it sends makes no sense; nothing behind it can be read. Its sender sees the connection end, and says so.
        socket.destroy();
      }
    });
    // `close` follows, and that is where it is dealt with.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.#sockets.delete(socket);
      peer.lost();
    });
  }

  async #close(): Promise<void> {
    this.#hub.close();
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroySoon();
    await closed;
    try {
      // Another hub may have taken the place.
      if ((await stat(this.path)).ino === this.#inode) await unlink(this.path);
    } catch (error) {
      if (!isMissing(error)) throw error;
    } finally {
      this.#status.close();
    }
  }
}

function connectTo(path: string): Connect {
  return ({ push, lost }) =>
    new Promise((resolve, reject) => {
      const socket = connect(path);
      let failure: Error | undefined;
      socket.once('connect', () => {
        resolve({ write: (bytes) => void socket.write(bytes), end: () => endSoon(socket) });
      });
      socket.on('data', push);
      socket.on('error', (error) => {
        failure = error;
        reject(error);
      });
      // A hub that half-closes is gone for us.
      socket.on('close', () => lost(failure));
    });
}

/** What was written goes out first, unless the other side has stopped reading. */
function endSoon(socket: Socket): void {
  socket.setTimeout(1_000, () => socket.destroy());
  socket.destroySoon();
}

function isAnswering(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED') resolve(false);
      else reject(error);
    });
  });
}

async function readOrMakeToken(path: string): Promise<string> {
  try {
    const file = await open(`${path}.token`, 'wx', 0o600);
    try {
      const token = randomBytes(24).toString('base64url');
      await file.writeFile(token);
      return token;
    } finally {
      await file.close();
    }
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    return readToken(path);
  }
}

async function readToken(path: string): Promise<string> {
  try {
    return (await readFile(`${path}.token`, 'utf8')).trim();
  } catch (error) {
    if (!isMissing(error)) throw error;
    throw new BusError('BUS_UNREACHABLE', `No hub was ever started at ${path}: ${path}.token is missing`, {
      cause: error,
    });
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

/** The system cuts a longer path off, and listens at another one. */
function checkPath(path: string): void {
  if (typeof path !== 'string' || path === '') throw new TypeError(`Expected \`path\` to be a path, got \`${path}\``);
  if (Buffer.byteLength(path) > 90) {
    throw new RangeError(`Expected \`path\` to be at most 90 bytes long, got ${Buffer.byteLength(path)}: ${path}`);
  }
}
