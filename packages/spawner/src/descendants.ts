/**
 * Who belongs to a started process. Three threads lead to a descendant, and each is cut by something a program may do:
 * its parent id (the parent's death), its session and process group (`setsid`), its environment (a fresh one). A family
 * follows all three, remembers whom it has seen, and adopts the sessions its members lead.
 */
import type { Container } from './container.ts';
import type { PidWindow } from './pid-window.ts';
import {
  type ProcessIdentity,
  type ProcessRow,
  procAvailable,
  readEnvironment,
  readProcessTable,
} from './process-table.ts';

export interface FamilyDefinition {
  readonly roots: readonly ProcessIdentity[];
  /** Sessions and groups known to hold nobody else, by their id. */
  readonly sessions?: readonly number[];
  /** Recognises a member by an entry of its environment: the variable's name, and a test of its value. */
  readonly environment?: { readonly name: string; readonly accepts: (value: string) => boolean };
  /** Processes older than this (clock ticks since boot) are not looked at for their environment. */
  readonly bornAfterTicks?: number;
  /** The pids that descendants of the roots can have. @default all */
  readonly window?: PidWindow | undefined;
  /** Whoever is in it is a member. */
  readonly container?: Container | undefined;
  /** `group`: only those in the group that the root leads. @default 'tree' */
  readonly reach?: 'group' | 'tree';
}

export interface FamilyView {
  readonly alive: readonly ProcessRow[];
  /** Processes inside `exec`, whose environment could not be read just now: look again before concluding. */
  readonly undecided: number;
  /** Somebody is in the container, whether or not the look found him. */
  readonly occupied: boolean;
}

export class ProcessFamily {
  readonly #definition: FamilyDefinition;
  readonly #seen = new Map<string, ProcessIdentity>();
  readonly #sessions: Set<number>;
  readonly #groups = new Set<number>();

  constructor(definition: FamilyDefinition) {
    this.#definition = definition;
    this.#sessions = new Set(definition.sessions);
    for (const root of definition.roots) this.#seen.set(keyOf(root), root);
  }

  /** The living members now. Never this process, its ancestors, or pid 1. Cost: one reading of the process table. */
  async look(): Promise<FamilyView> {
    const rows = await readProcessTable(this.#definition.window);
    const protectedPids = ownAncestry(rows);
    const [kept, candidates] = [
      rows.filter((row) => protectedPids.has(row.pid)),
      rows.filter((row) => !protectedPids.has(row.pid)),
    ];
    if (this.#definition.reach === 'group') return this.#lookInGroups(candidates);
    this.#forgetLostSessions(rows);
    const members = new Map((this.#definition.container?.members(candidates) ?? []).map((row) => [row.pid, row]));
    let undecided = 0;
    for (const row of candidates) {
      if (this.#seen.has(keyOf(row)) || this.owns(row)) members.set(row.pid, row);
      else if (row.alive && !members.has(row.pid)) {
        const verdict = this.#environmentVerdict(row);
        if (verdict === 'member') members.set(row.pid, row);
        if (verdict === 'undecided') undecided += 1;
      }
    }
    this.#grow(members, candidates, kept);
    for (const row of members.values()) this.#seen.set(keyOf(row), { pid: row.pid, startTime: row.startTime });
    const occupied = this.#definition.container?.isEmpty() === false;
    return { alive: [...members.values()].filter((row) => row.alive), undecided, occupied };
  }

  /** True when every process of the row's group belongs here, so that the group as a whole may be signalled. */
  owns(row: ProcessRow): boolean {
    return this.#sessions.has(row.sessionId) || this.#groups.has(row.groupId);
  }

  /** Ends at once whoever is in the container. */
  killContained(): void {
    this.#definition.container?.kill();
  }

  /** A group's id is not given out again while anybody is in it. */
  #lookInGroups(candidates: readonly ProcessRow[]): FamilyView {
    const leaders = new Map(this.#definition.roots.map(({ pid, startTime }) => [pid, startTime]));
    for (const row of candidates) if (leaders.get(row.pid) !== row.startTime) leaders.delete(row.pid);
    const members = candidates.filter((row) => leaders.has(row.groupId));
    for (const row of members) this.#groups.add(row.groupId);
    return { alive: members.filter((row) => row.alive), undecided: 0, occupied: false };
  }

  /**
   * A session id is not given out again while anybody is in it, zombies included; once empty it may become a stranger's, who
   * then leads it.
   */
  #forgetLostSessions(rows: readonly ProcessRow[]): void {
    const sessions = new Set(rows.map((row) => row.sessionId));
    const groups = new Set(rows.map((row) => row.groupId));
    const strangers = new Set(rows.filter((row) => !this.#seen.has(keyOf(row))).map((row) => row.pid));
    for (const id of this.#sessions) if (!sessions.has(id) || strangers.has(id)) this.#sessions.delete(id);
    for (const id of this.#groups) if (!groups.has(id) || strangers.has(id)) this.#groups.delete(id);
  }

  #environmentVerdict(row: ProcessRow): 'member' | 'stranger' | 'undecided' {
    const { environment, bornAfterTicks = 0 } = this.#definition;
    if (environment === undefined || !procAvailable || row.startTicks < bornAfterTicks) return 'stranger';
    const value = environmentOf(row, environment.name);
    if (value === 'undecided') return 'undecided';
    return value !== undefined && environment.accepts(value.text) ? 'member' : 'stranger';
  }

  /**
   * Adds children of members, and everyone in a session or group that a member leads, until nothing is added. A session
   * or group that holds one of `kept` is never adopted: signalling it would reach us.
   */
  #grow(members: Map<number, ProcessRow>, candidates: readonly ProcessRow[], kept: readonly ProcessRow[]): void {
    const keptSessions = new Set(kept.map((row) => row.sessionId));
    const keptGroups = new Set(kept.map((row) => row.groupId));
    for (let before = -1; before !== members.size; ) {
      before = members.size;
      for (const row of members.values()) {
        if (row.sessionId === row.pid && !keptSessions.has(row.pid)) this.#sessions.add(row.pid);
        if (row.groupId === row.pid && !keptGroups.has(row.pid)) this.#groups.add(row.pid);
      }
      for (const row of candidates) {
        if (!members.has(row.pid) && (members.has(row.parentPid) || this.owns(row))) members.set(row.pid, row);
      }
    }
  }
}

type EnvironmentValue = { readonly text: string } | 'undecided' | undefined;

/** By row, whose reading many families share when many programs end at once: each environment is then read once, not once for each. */
const environments = new WeakMap<ProcessRow, Map<string, EnvironmentValue>>();

function environmentOf(row: ProcessRow, name: string): EnvironmentValue {
  const known = environments.get(row) ?? new Map<string, EnvironmentValue>();
  if (!known.has(name)) {
    const text = readEnvironment(row.pid);
    known.set(name, text === '' ? 'undecided' : environmentValue(text ?? '', name));
    environments.set(row, known);
  }
  return known.get(name);
}

/** The value of one variable in the text of `/proc/<pid>/environ`. */
function environmentValue(text: string, name: string): { readonly text: string } | undefined {
  const prefix = `${name}=`;
  const entry = text.split('\0').find((candidate) => candidate.startsWith(prefix));
  return entry === undefined ? undefined : { text: entry.slice(prefix.length) };
}

export function keyOf(identity: ProcessIdentity): string {
  return `${identity.pid} ${identity.startTime}`;
}

function ownAncestry(rows: readonly ProcessRow[]): ReadonlySet<number> {
  const parents = new Map(rows.map((row) => [row.pid, row.parentPid]));
  const ancestry = new Set([0, 1]);
  for (let pid: number | undefined = process.pid; pid !== undefined && !ancestry.has(pid); pid = parents.get(pid)) {
    ancestry.add(pid);
  }
  return ancestry;
}
