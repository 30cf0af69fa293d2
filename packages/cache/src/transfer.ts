/**
 * Entries on their way out of a cache, into one, and under examination.
 *
 * An export is a row of frames: `CDRX`, the envelope's length in 4 bytes big-endian, the same with every bit turned, the
 * envelope, sealed for the tier name `export` so that no frame can be passed off as a file of a store. After damage the
 * reader goes on at the next bytes that begin a frame: a damaged entry costs itself and no other.
 */
import { Entry, type RejectionReason, rejectionReasons } from './entry.ts';
import type { Tiers } from './tiered.ts';

export interface ImportReport {
  /** Entries that are in the cache now. */
  readonly imported: number;
  /** Entries past their time. */
  readonly expired: number;
  /** Entries that no store took. */
  readonly notStored: number;
  /** Entries not believed, by reason; bytes that are no frame count once for each run of them, as `truncated`. */
  readonly rejections: Readonly<Record<RejectionReason, number>>;
}

export interface VerifyReport {
  readonly tier: string;
  /** Entries that are what was sealed, expired ones included. */
  readonly genuine: number;
  readonly bytes: number;
  readonly expired: number;
  /** Entries not believed, by reason. */
  readonly rejections: Readonly<Record<RejectionReason, number>>;
}

export async function* exportEntries(tiers: Tiers): AsyncGenerator<Uint8Array, void, void> {
  const seen = new Set<string>();
  for await (const { opened } of tiers.scan()) {
    if (!(opened instanceof Entry) || seen.has(opened.key)) continue;
    // As a reader would find it: of what several tiers have the nearest is good, and none that expired or was deleted.
    const entry = await tiers.read(opened.key, false);
    if (entry === undefined) continue;
    seen.add(opened.key);
    const envelope = tiers.sealForExport(entry);
    const head = Buffer.alloc(headBytes);
    magic.copy(head);
    head.writeUInt32BE(envelope.byteLength, magic.byteLength);
    head.writeUInt32BE(~envelope.byteLength >>> 0, magic.byteLength + 4);
    yield Buffer.concat([head, envelope]);
  }
}

export async function importEntries(
  tiers: Tiers,
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  overtake: (key: string) => void,
): Promise<ImportReport> {
  const counts = { imported: 0, expired: 0, notStored: 0 };
  const rejections = noRejections();
  for await (const frame of splitFrames(chunks)) {
    const opened = frame === undefined ? 'truncated' : tiers.openExported(frame);
    if (!(opened instanceof Entry)) rejections[opened] += 1;
    else if (!tiers.isUsable(opened)) counts.expired += 1;
    else {
      overtake(opened.key);
      const tags = opened.tags === undefined ? undefined : await tiers.tags.claim(opened.tags.map(([tag]) => tag));
      const { codec, shareable, heapBytes } = opened;
      const encoded = { codec, shareable, heapBytes, payload: opened.payload() };
      const { stored } = await tiers.write(opened.key, new Entry(opened.key, opened, encoded, tags));
      counts[stored > 0 ? 'imported' : 'notStored'] += 1;
    }
  }
  return { ...counts, rejections };
}

export async function verifyEntries(tiers: Tiers): Promise<readonly VerifyReport[]> {
  const reports = new Map(
    tiers
      .stats()
      .map(({ name }) => [name, { tier: name, genuine: 0, bytes: 0, expired: 0, rejections: noRejections() }]),
  );
  const suspects: (readonly [tier: string, key: string])[] = [];
  for await (const { tier, byteLength, opened, claimedKey } of tiers.scan()) {
    const report = reports.get(tier);
    if (report === undefined) continue;
    report.bytes += byteLength;
    if (opened instanceof Entry) {
      report.genuine += 1;
      if (!tiers.isUsable(opened)) report.expired += 1;
    } else {
      report.rejections[opened] += 1;
      if (claimedKey !== undefined) suspects.push([tier, claimedKey]);
    }
  }
  // A read removes what it doesn't believe. Where not even the key is readable, the entry is out of reach: nobody will ask for it.
  for (const [tier, key] of suspects) await tiers.readOnly(tier, key);
  return [...reports.values()];
}

const magic = Buffer.from('CDRX');
const headBytes = magic.byteLength + 8;
/** No store of ours takes larger ones. */
const maxEnvelopeBytes = 1024 ** 3;

/** The envelopes; undefined for a run of bytes that is none. */
async function* splitFrames(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<Uint8Array | undefined, void, void> {
  let rest = Buffer.alloc(0);
  let inDamage = false;
  for await (const chunk of chunks) {
    rest = rest.byteLength === 0 ? Buffer.from(chunk) : Buffer.concat([rest, chunk]);
    for (;;) {
      const start = rest.indexOf(magic);
      if (start !== 0) {
        // The magic may be cut by the end of the chunk.
        const keepFrom = start === -1 ? Math.max(rest.byteLength - magic.byteLength + 1, 0) : start;
        if (keepFrom === 0) break;
        if (!inDamage) yield undefined;
        inDamage = true;
        rest = rest.subarray(keepFrom);
        if (start === -1) break;
      }
      if (rest.byteLength < headBytes) break;
      const byteLength = rest.readUInt32BE(magic.byteLength);
      const isDamaged = rest.readUInt32BE(magic.byteLength + 4) !== ~byteLength >>> 0;
      if (isDamaged || byteLength > maxEnvelopeBytes) {
        rest = rest.subarray(1);
        continue;
      }
      if (rest.byteLength < headBytes + byteLength) break;
      inDamage = false;
      yield rest.subarray(headBytes, headBytes + byteLength);
      rest = rest.subarray(headBytes + byteLength);
    }
  }
  if (rest.byteLength > 0 && !inDamage) yield undefined;
}

function noRejections(): Record<RejectionReason, number> {
  return Object.fromEntries(rejectionReasons.map((reason) => [reason, 0])) as Record<RejectionReason, number>;
}
