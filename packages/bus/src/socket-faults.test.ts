import { type ChildProcess, fork } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { openProxy } from '../test/proxy.ts';
import { createBus } from './bus.ts';
import { openSocketHub, openSocketTransport, type SocketHub } from './socket.ts';
import type { Transport, TransportStatus } from './transport.ts';

const soak = process.env.CADRE_SOAK === '1';
const children = new Set<ChildProcess>();
const news = new EventEmitter();
let folder: string;
let count = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cadre-bus-'));
});

afterEach(async () => {
  await Promise.all([...children].map(kill));
});

afterAll(() => rm(folder, { recursive: true }));

describe('the hub of sockets', () => {
  test('is open to its own user alone, and refuses who has not its token', async () => {
    const path = newPath();
    await using hub = await openSocketHub({ path });
    expect(((await stat(path)).mode & 0o777).toString(8)).toBe('600');
    expect(((await stat(`${path}.token`)).mode & 0o777).toString(8)).toBe('600');
    await expect(openSocketTransport({ path, token: 'guess' })).rejects.toMatchObject({ code: 'BUS_REFUSED' });
    await expect(openSocketHub({ path })).rejects.toMatchObject({ code: 'BUS_HUB_RUNNING' });
    expect(hub.peers).toEqual([]);
  });

  test('is found missing', async () => {
    await expect(openSocketTransport({ path: newPath() })).rejects.toMatchObject({ code: 'BUS_UNREACHABLE' });
    await expect(openSocketTransport({ path: newPath(), token: 'a' })).rejects.toMatchObject({
      code: 'BUS_UNREACHABLE',
    });
  });

  test('refuses a message over maxFrameBytes before it is sent', async () => {
    await using hub = await openSocketHub({ path: newPath(), maxFrameBytes: 10_000 });
    const transport = await openSocketTransport({ path: hub.path });
    await using bus = createBus({ transport });
    expect(() => bus.publish('a', 'x'.repeat(10_000))).toThrow(
      expect.objectContaining({ code: 'BUS_MESSAGE_TOO_LARGE' }),
    );
    await transport.close();
  });

  // A peer that forgets what it sent once it is written loses what stood in the sockets; one that sends all of it again, without the
  // numbers by which the receiver knows it, delivers twice; a hub that passes on at once all that gathered drops what is over 32,768.
  test('loses nothing and repeats nothing when it is killed and started again', async () => {
    const kills = soak ? 60 : 6;
    const path = newPath();
    let hub = await start('socket-hub.mjs', path);
    const [one, other] = await Promise.all([1, 2].map(() => openSocketTransport({ path, retryMs: 50 })));
    if (one === undefined || other === undefined) throw new Error('Expected two transports');
    const [sender, receiver] = [createBus({ transport: one }), createBus({ transport: other })];
    const lost = countLost(one);
    const seen = new Map<number, number>();
    let inOrder = 0;
    receiver.subscribe<{ index: number }>('a.*', ({ data }) => {
      if (data.index === seen.size) inOrder++;
      seen.set(data.index, (seen.get(data.index) ?? 0) + 1);
      happened();
    });
    await receiver.flush();
    // Who listens too, and is kept away while the hub shall hold what it gathers.
    const late = newPath();
    const proxy = await openProxy(late, path);
    const token = await readFile(`${path}.token`, 'utf8');
    const away = await openSocketTransport({ path: late, token, retryMs: 50 });
    const third = createBus({ transport: away });
    third.subscribe('other', () => undefined);
    await third.flush();
    let sent = 0;
    let heldKills = 0;
    for (let round = 0; round < kills; round++) {
      // In two of three rounds messages are on their way through the hub; in the third it holds what gathers.
      const before = seen.size;
      if (round % 3 !== 2) await untilTrue(() => seen.size + lost.count >= sent);
      for (let turns = 0; turns < 40 + (round % 5) * 20; turns++) {
        for (let burst = 0; burst < 50; burst++) await sender.publish('a.b', { index: sent++ });
        await turn();
      }
      // More than one peer may have on its way.
      if (round === 2) for (let burst = 0; burst < 40_000; burst++) await sender.publish('a.b', { index: sent++ });
      if (round % 3 === 2 && seen.size === before) heldKills++;
      await kill(hub);
      for (let burst = 0; burst < 50; burst++) void sender.publish('a.b', { index: sent++ });
      proxy.refuse(round % 3 === 1 ? Number.POSITIVE_INFINITY : 0);
      hub = await start('socket-hub.mjs', path);
      await Promise.all([sender.flush(), receiver.flush()]);
    }
    await untilTrue(() => seen.size + lost.count >= sent);
    const twice = [...seen.values()].filter((times) => times > 1).length;
    console.info(
      `hub killed ${kills} times, ${heldKills} of them while it held all: ${sent} sent, ${seen.size} delivered, ${lost.count} lost, ${twice} twice`,
    );
    expect(lost.count).toBe(0);
    expect(seen.size).toBe(sent);
    expect(twice).toBe(0);
    expect(inOrder).toBe(seen.size);
    expect(heldKills).toBeGreaterThan(0);
    await Promise.all([one.close(), other.close(), away.close(), proxy.close()]);
  }, 280_000);

  // With a second try begun for each that fails after it was connected, tries end one another's connection, and the peer stays away.
  test('is reached again when connections end before it has answered', async () => {
    const path = newPath();
    const through = newPath();
    await using hub = await openSocketHub({ path, token: 't' });
    const proxy = await openProxy(through, path);
    const transport = await openSocketTransport({ path: through, token: 't', retryMs: 20, connectTimeoutMs: 300 });
    const [sender, receiver] = [createBus({ transport }), createBus({ transport: await hub.connect() })];
    const seen: number[] = [];
    receiver.subscribe<number>('a', ({ data }) => void seen.push(data));
    let reconnected = 0;
    transport.observe(({ type }) => void (type === 'reconnected' && reconnected++));
    for (let round = 1; round <= 5; round++) {
      const before = proxy.connections;
      proxy.refuse(round);
      proxy.cut();
      sender.publish('a', round);
      await sender.flush();
      expect(proxy.connections - before).toBe(round + 1);
    }
    await receiver.flush();
    expect(seen).toEqual([1, 2, 3, 4, 5]);
    expect(reconnected).toBe(5);
    await transport.close();
    await proxy.close();
  });

  // Without the reports, or with a message counted as delivered once it is written, what a killed peer had not read is gone in silence.
  test('accounts for every message when subscribers are killed', async () => {
    const kills = soak ? 200 : 12;
    await using hub = await openSocketHub({ path: newPath(), resumeMs: 50 });
    void tellNews(hub);
    const transport = await hub.connect({ maxWindowBytes: 1_000_000 });
    const bus = createBus({ transport });
    const lost = countLost(transport);
    let sent = 0;
    let unheard = 0;
    let delivered = 0;
    let both = 0;
    for (let round = 0; round < kills; round++) {
      const peer = await start('socket-peer.mjs', hub.path, 'note');
      const noted = collect(peer);
      const before = lost.count;
      const first = sent;
      for (let burst = 0; burst < 40 + round; burst++) {
        for (let each = 0; each < 20; each++) await bus.publish('note', { index: sent++ });
        await turn();
      }
      await kill(peer);
      const seen = new Set(await noted);
      await untilTrue(() => hub.peers.length === 1 && hub.waitingBytes === 0);
      await bus.flush();
      delivered += seen.size;
      const reported = lost.count - before;
      const missing = sent - first - seen.size;
      if (reported < missing) unheard += missing - reported;
      both += Math.max(0, reported - missing);
    }
    console.info(
      `subscribers killed ${kills} times: ${sent} sent, ${delivered} delivered, ${lost.count} told as lost, ${both} both (handled, and dead before they could say so), ${unheard} unaccounted`,
    );
    expect(unheard).toBe(0);
    expect(delivered + lost.count - both).toBe(sent);
    await bus.close();
    await transport.close();
  }, 280_000);

  // With a job acknowledged when it is received, those that stand in the queue of a killed member are lost.
  test('loses no job of a queue group when members are killed', async () => {
    const kills = soak ? 100 : 6;
    await using hub = await openSocketHub({ path: newPath(), resumeMs: 20 });
    const transport = await hub.connect();
    const bus = createBus({ transport });
    const lost = countLost(transport);
    const done = new Map<number, number>();
    const note = (index: number) => {
      done.set(index, (done.get(index) ?? 0) + 1);
      happened();
    };
    const stays = await start('socket-peer.mjs', hub.path, 'work');
    void collect(stays, note);
    let sent = 0;
    for (let round = 0; round < kills; round++) {
      const member = await start('socket-peer.mjs', hub.path, 'work');
      const noted = collect(member, note);
      for (let each = 0; each < 500; each++) await bus.publish('jobs', sent++);
      await bus.flush();
      await turn();
      await kill(member);
      await noted;
    }
    await untilTrue(() => done.size === sent);
    const twice = [...done.values()].filter((times) => times > 1).length;
    console.info(
      `members killed ${kills} times: ${sent} jobs, ${done.size} done, ${twice} of them twice, ${lost.count} lost`,
    );
    expect(lost.count).toBe(0);
    await bus.close();
    await transport.close();
  }, 280_000);

  // With a refusal forgotten once it is written, a job that was refused just before a cut counts as done, and nobody does it.
  test('gives jobs to another member that were refused just before the connection was cut', async () => {
    const path = newPath();
    const through = newPath();
    await using hub = await openSocketHub({ path, token: 't' });
    const proxy = await openProxy(through, path);
    const transport = await openSocketTransport({ path: through, token: 't', retryMs: 20 });
    const near = await hub.connect();
    const [full, other] = [createBus({ transport }), createBus({ transport: near })];
    const lost = countLost(near);
    let finish: () => void = () => undefined;
    const cutAtFirst = () => {
      proxy.cut();
      return new Promise<void>((resolve) => {
        finish = resolve;
      });
    };
    full.subscribe('jobs', cutAtFirst, { queue: 'workers', maxQueued: 1, onOverflow: 'drop-newest' });
    await full.flush();
    for (let job = 0; job < 20; job++) other.publish('jobs', job);
    const done: number[] = [];
    other.subscribe<number>(
      'jobs',
      ({ data }) => {
        done.push(data);
        happened();
      },
      { queue: 'workers' },
    );
    await untilTrue(() => done.length + lost.count >= 18);
    expect(done.sort((a, b) => a - b)).toEqual(Array.from({ length: 18 }, (_, index) => index + 2));
    finish();
    await Promise.all([transport.close(), near.close(), proxy.close()]);
  });

  test('carries on over a proxy that cuts, half-closes and holds back', async () => {
    const faults = soak ? 200 : 30;
    const path = newPath();
    const through = newPath();
    await using hub = await openSocketHub({ path, token: 't' });
    const proxy = await openProxy(through, path);
    const [one, other] = [
      await openSocketTransport({ path: through, token: 't', retryMs: 20 }),
      await openSocketTransport({ path: through, token: 't', retryMs: 20 }),
    ];
    const [sender, receiver] = [createBus({ transport: one }), createBus({ transport: other })];
    const lost = countLost(one);
    const seen: number[] = [];
    receiver.subscribe<number>('a', ({ data }) => {
      seen.push(data);
      happened();
    });
    await receiver.flush();
    let sent = 0;
    const kinds = { cut: 0, halfClose: 0, pause: 0 };
    for (let round = 0; round < faults; round++) {
      for (let each = 0; each < 300; each++) void sender.publish('a', sent++);
      await turn();
      const kind = (['cut', 'halfClose', 'pause'] as const)[round % 3] ?? 'cut';
      kinds[kind]++;
      proxy[kind]();
      for (let each = 0; each < 300; each++) void sender.publish('a', sent++);
      if (kind === 'pause') proxy.resume();
      await Promise.all([sender.flush(), receiver.flush()]);
    }
    await untilTrue(() => seen.length + lost.count >= sent);
    console.info(
      `${JSON.stringify(kinds)}, ${proxy.connections} connections: ${sent} sent, ${seen.length} delivered, ${lost.count} lost`,
    );
    expect(seen).toEqual(Array.from({ length: sent }, (_, index) => index));
    expect(hub.peers).toHaveLength(2);
    await Promise.all([one.close(), other.close()]);
    await proxy.close();
  }, 280_000);

  // Without `maxPeerBytes` the hub keeps all of it: hundreds of megabytes.
  test('keeps its memory bounded under a subscriber that is stopped for a minute at full rate', async () => {
    const ends = soak ? performance.now() + 60_000 : undefined;
    let messages = 0;
    const goesOn = () => (ends === undefined ? messages < 400_000 : performance.now() < ends);
    const maxPeerBytes = 8_388_608;
    await using hub = await openSocketHub({ path: newPath(), maxPeerBytes });
    const transport = await hub.connect({ maxWindowBytes: maxPeerBytes * 4 });
    const bus = createBus({ transport });
    const lost = countLost(transport);
    const peer = await start('socket-peer.mjs', hub.path, 'note');
    const noted = collect(peer);
    peer.kill('SIGSTOP');
    const data = { index: 0, text: 'x'.repeat(80) };
    let highest = 0;
    const before = process.memoryUsage().rss;
    while (goesOn()) {
      for (let each = 0; each < 1_000; each++) await bus.publish('note', { ...data, index: messages++ });
      highest = Math.max(highest, hub.waitingBytes);
      await turn();
    }
    await bus.flush();
    const grown = (process.memoryUsage().rss - before) / 1_048_576;
    peer.kill('SIGCONT');
    // It is another process that takes them in, and the hub has no event for it.
    while (hub.waitingBytes > 0) await turn();
    await kill(peer);
    const seen = new Set(await noted);
    await bus.flush();
    console.info(
      `${messages} messages at a stopped subscriber: at most ${highest} bytes waiting, ${grown.toFixed(0)} MiB grown, ${seen.size} delivered, ${lost.count} told as lost`,
    );
    expect(highest).toBeLessThanOrEqual(maxPeerBytes);
    expect(lost.count).toBeGreaterThan(messages / 2);
    expect(seen.size + lost.count).toBe(messages);
    await bus.close();
    await transport.close();
  }, 280_000);
});

function newPath(): string {
  return join(folder, `${count++}.sock`);
}

async function start(program: string, ...args: readonly string[]): Promise<ChildProcess> {
  const child = fork(new URL(`../test/programs/${program}`, import.meta.url), args, {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    execArgv: [],
  });
  children.add(child);
  await once(child, 'message');
  return child;
}

async function kill(child: ChildProcess): Promise<void> {
  children.delete(child);
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

/** The numbers that a child notes, until it ends. */
async function collect(child: ChildProcess, onNumber?: (number: number) => void): Promise<number[]> {
  const numbers: number[] = [];
  let rest = '';
  for await (const chunk of child.stdout ?? []) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      numbers.push(Number(line));
      onNumber?.(Number(line));
    }
  }
  return numbers;
}

function countLost(transport: Transport): { readonly count: number } {
  const lost = { count: 0 };
  transport.observe((status: TransportStatus) => {
    if (status.type !== 'lost') return;
    lost.count += status.count;
    happened();
  });
  return lost;
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Looks again whenever a test says that something happened. */
async function untilTrue(condition: () => boolean): Promise<void> {
  while (!condition()) await once(news, 'happened');
}

function happened(): void {
  news.emit('happened');
}

async function tellNews(hub: SocketHub): Promise<void> {
  for await (const _status of hub.status()) happened();
}
