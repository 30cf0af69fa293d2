/** What bounds a hub and its peers, with the defaults. */

export interface HubLimits {
  /** A longer frame ends the connection that it comes over. @default 16 MiB */
  readonly maxFrameBytes?: number;
  /** Bytes on their way to one peer, which are at most 32,768 messages; less than a sender's window, so that a slow one is noticed first. @default 8 MiB */
  readonly maxPeerBytes?: number;
  /**
   * What is done with a message to a peer that is over `maxPeerBytes`: `drop` it and tell its sender, or let it `wait`, and so
   * hold up the senders once their own windows are full. @default 'drop'
   */
  readonly onSlowPeer?: 'drop' | 'wait';
  /** How long a peer whose connection was cut may take to come back, before what it missed is lost. @default 5_000 */
  readonly resumeMs?: number;
  /**
   * After a restart: how long returning peers are waited for at most before anything is passed on. It ends as soon as all who listened to
   * the hub before are back; who returns later misses what was passed on. What has gathered meanwhile, or is brought by a sender that
   * returns, is not dropped for a slow peer until a further `resumeMs` has passed. @default 5_000
   */
  readonly regatherMs?: number;
}

export interface PeerLimits {
  /** What the hub calls it. @default the process id */
  readonly peerName?: string;
  /** Bytes published and not known to have arrived; beyond it `publish` returns a promise. @default 16 MiB */
  readonly maxWindowBytes?: number;
  /** A full window makes `publish` wait, or refuse with BUS_OVERFLOW. @default 'wait' */
  readonly onFull?: 'wait' | 'refuse';
  /** Publishes that may wait for the window; one more is rejected with BUS_OVERFLOW. @default 65_536 */
  readonly maxWaiting?: number;
  /** The connection is looked at this often, and given up when nothing came for twice as long. @default 5_000 */
  readonly heartbeatMs?: number;
  /** The longest pause between two tries to reach the hub, which begin at a tenth of it. @default 200 */
  readonly retryMs?: number;
  /** How long one try may take. @default 5_000 */
  readonly connectTimeoutMs?: number;
}

export function resolveHubLimits(limits: HubLimits): Required<HubLimits> {
  const {
    maxFrameBytes = 16_777_216,
    maxPeerBytes = 8_388_608,
    onSlowPeer = 'drop',
    resumeMs = 5_000,
    regatherMs = 5_000,
  } = limits;
  for (const [name, value] of Object.entries({ maxFrameBytes, maxPeerBytes, resumeMs, regatherMs })) {
    if (!(value >= 0 && value <= 2_147_483_647)) {
      throw new RangeError(`Expected \`${name}\` to be from 0 to 2147483647, got \`${value}\` (${typeof value})`);
    }
  }
  if (onSlowPeer !== 'drop' && onSlowPeer !== 'wait') {
    throw new TypeError(`Expected \`onSlowPeer\` to be drop or wait, got \`${onSlowPeer}\``);
  }
  return Object.freeze({ maxFrameBytes, maxPeerBytes, onSlowPeer, resumeMs, regatherMs });
}

export function resolvePeerLimits(limits: PeerLimits): Required<PeerLimits> {
  const {
    peerName = String(process.pid),
    maxWindowBytes = 16_777_216,
    onFull = 'wait',
    maxWaiting = 65_536,
    heartbeatMs = 5_000,
    retryMs = 200,
    connectTimeoutMs = 5_000,
  } = limits;
  for (const [name, value] of Object.entries({ maxWindowBytes, maxWaiting })) {
    if (!(value >= 1))
      throw new RangeError(`Expected \`${name}\` to be at least 1, got \`${value}\` (${typeof value})`);
  }
  for (const [name, value] of Object.entries({ heartbeatMs, retryMs, connectTimeoutMs })) {
    if (!(value >= 1 && value <= 1_000_000_000)) {
      throw new RangeError(`Expected \`${name}\` to be from 1 to 1000000000, got \`${value}\` (${typeof value})`);
    }
  }
  if (onFull !== 'wait' && onFull !== 'refuse') {
    throw new TypeError(`Expected \`onFull\` to be wait or refuse, got \`${onFull}\``);
  }
  return Object.freeze({ peerName, maxWindowBytes, onFull, maxWaiting, heartbeatMs, retryMs, connectTimeoutMs });
}
