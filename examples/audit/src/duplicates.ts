/** Answers: which code is written more than once, word for word? */
import type { Collected } from './collect.ts';
import { type Analysis, analysis, type Finding, plural } from './finding.ts';
import { type FileFingerprints, RUN, WINDOW } from './fingerprints.ts';
import { compareText } from './path.ts';
import { roleOf } from './role.ts';

export interface DuplicateMeasures {
  readonly tokens: number;
  readonly copiedTokens: number;
  readonly groups: number;
}

interface Region {
  readonly file: string;
  readonly startToken: number;
  readonly endToken: number;
  readonly startLine: number;
  readonly endLine: number;
}

interface Occurrence {
  readonly file: string;
  readonly token: number;
  readonly startLine: number;
  readonly endLine: number;
}

/** Shorter copies are idioms more often than copies. */
const MIN_TOKENS = RUN + WINDOW - 1;
const MIN_LINES = 8;
/** A run found in more places than this is a table or a template; its first places stand for all. */
const MAX_PLACES = 40;

export function analyseDuplicates(needs: {
  readonly tokens: Collected<FileFingerprints>;
}): Analysis<DuplicateMeasures> {
  const matches = matchedRegions(needs.tokens.files);
  const groups = groupRegions(matches);
  const findings = groups.map(findingFor);
  const tokens = needs.tokens.files.reduce((sum, file) => sum + file.tokens, 0);
  const copied = groups.reduce((sum, group) => {
    const sizes = group.map((region) => region.endToken - region.startToken).sort((a, b) => b - a);
    return sum + sizes.slice(1).reduce((inner, size) => inner + size, 0);
  }, 0);
  return analysis(
    findings,
    { tokens, copiedTokens: Math.min(copied, tokens), groups: groups.length },
    needs.tokens.notes,
  );
}

/** Pairs of regions that hold the same tokens: fingerprints shared at one distance, one after another, make one region. */
function matchedRegions(files: readonly FileFingerprints[]): readonly (readonly [Region, Region])[] {
  const places = new Map<string, Occurrence[]>();
  for (const { path, prints } of files) {
    for (const [hash, token, startLine, endLine] of prints) {
      const known = places.get(hash) ?? [];
      if (known.length < MAX_PLACES) known.push({ file: path, token, startLine, endLine });
      places.set(hash, known);
    }
  }
  const diagonals = new Map<string, [Occurrence, Occurrence][]>();
  for (const known of places.values()) {
    for (const [index, a] of known.entries()) {
      for (const b of known.slice(index + 1)) {
        const [left, right] = a.file < b.file || (a.file === b.file && a.token <= b.token) ? [a, b] : [b, a];
        if (left.file === right.file && right.token - left.token < RUN) continue;
        const key = `${left.file}\0${right.file}\0${right.token - left.token}`;
        const chain = diagonals.get(key) ?? [];
        chain.push([left, right]);
        diagonals.set(key, chain);
      }
    }
  }
  return [...diagonals.values()].flatMap(regionsAlong);
}

function regionsAlong(chain: [Occurrence, Occurrence][]): readonly (readonly [Region, Region])[] {
  chain.sort((x, y) => x[0].token - y[0].token);
  const regions: (readonly [Region, Region])[] = [];
  let first = chain[0];
  let last = chain[0];
  const close = () => {
    if (first === undefined || last === undefined) return;
    const pair = [regionOf(first[0], last[0]), regionOf(first[1], last[1])] as const;
    const overlaps = pair[0].file === pair[1].file && pair[0].endToken > pair[1].startToken;
    if (!overlaps && pair.every(isLongEnough)) regions.push(pair);
  };
  for (const match of chain.slice(1)) {
    if (last !== undefined && match[0].token - last[0].token > RUN) {
      close();
      first = match;
    }
    last = match;
  }
  close();
  return regions;
}

function regionOf(first: Occurrence, last: Occurrence): Region {
  return {
    file: first.file,
    startToken: first.token,
    endToken: last.token + RUN,
    startLine: first.startLine,
    endLine: last.endLine,
  };
}

function isLongEnough(region: Region): boolean {
  // The window lets a copy's ends go unseen, so a region found is a little shorter than the copy is.
  return (
    region.endToken - region.startToken >= MIN_TOKENS - WINDOW / 2 && region.endLine - region.startLine + 1 >= MIN_LINES
  );
}

/** Joins pairs that share a region into groups, so that a passage in five files is one finding and not ten. */
function groupRegions(pairs: readonly (readonly [Region, Region])[]): readonly (readonly Region[])[] {
  const merged: { region: Region; group: number }[] = [];
  const byFile = new Map<string, number[]>();
  const parents: number[] = [];
  const rootOf = (group: number): number => {
    let at = group;
    while (parents[at] !== at) at = parents[at] ?? at;
    return at;
  };
  const nodeFor = (region: Region): number => {
    const known = byFile.get(region.file) ?? [];
    byFile.set(region.file, known);
    for (const index of known) {
      const node = merged[index];
      if (node === undefined || overlap(node.region, region) < 0.5) continue;
      node.region = union(node.region, region);
      return index;
    }
    merged.push({ region, group: parents.length });
    parents.push(parents.length);
    known.push(merged.length - 1);
    return merged.length - 1;
  };
  const ordered = [...pairs].sort(
    (x, y) =>
      y[0].endToken - y[0].startToken - (x[0].endToken - x[0].startToken) ||
      compareText(x[0].file + x[1].file, y[0].file + y[1].file) ||
      x[0].startToken - y[0].startToken,
  );
  for (const [left, right] of ordered) {
    const a = rootOf(merged[nodeFor(left)]?.group ?? 0);
    const b = rootOf(merged[nodeFor(right)]?.group ?? 0);
    parents[Math.max(a, b)] = Math.min(a, b);
  }
  const groups = new Map<number, Region[]>();
  for (const { region, group } of merged) {
    const root = rootOf(group);
    groups.set(root, [...(groups.get(root) ?? []), region]);
  }
  return [...groups.values()]
    .filter((group) => group.length > 1)
    .map((group) => group.sort((a, b) => compareText(a.file, b.file) || a.startLine - b.startLine));
}

function overlap(a: Region, b: Region): number {
  const shared = Math.min(a.endToken, b.endToken) - Math.max(a.startToken, b.startToken);
  return shared / Math.min(a.endToken - a.startToken, b.endToken - b.startToken);
}

function union(a: Region, b: Region): Region {
  return {
    file: a.file,
    startToken: Math.min(a.startToken, b.startToken),
    endToken: Math.max(a.endToken, b.endToken),
    startLine: Math.min(a.startLine, b.startLine),
    endLine: Math.max(a.endLine, b.endLine),
  };
}

function findingFor(group: readonly Region[]): Finding {
  const [first] = group;
  const lines = Math.max(...group.map((region) => region.endLine - region.startLine + 1));
  const places = group.map((region) => `${region.file}:${region.startLine}-${region.endLine}`);
  const onlyTests = group.every((region) => roleOf(region.file) !== 'source');
  const weight = lines * (group.length - 1);
  return {
    kind: 'duplicate',
    severity: onlyTests ? 'low' : weight >= 80 ? 'high' : weight >= 25 ? 'medium' : 'low',
    file: first?.file ?? '',
    line: first?.startLine ?? null,
    title: `about ${plural(lines, 'line')} written ${group.length === 2 ? 'twice' : `${group.length} times`}`,
    reason: `The same tokens stand at ${places.slice(0, 4).join(', ')}${places.length > 4 ? ` and ${places.length - 4} more` : ''}: a mistake mended in one stays in the other.`,
    effort: weight >= 80 ? 'hours' : 'minutes',
    degree: Math.min(1, weight / 400),
    related: group.map((region) => ({ file: region.file, line: region.startLine })),
  };
}
