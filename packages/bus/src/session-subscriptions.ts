/** What one peer subscribed to, at its hub; told anew over each connection, since the peer may have left some while it was away. */
import type { Member, Session, SessionHost } from './session.ts';

export interface ToldSubscription {
  readonly id: number;
  readonly pattern: string;
  readonly queue: string | null;
}

export class SessionSubscriptions {
  readonly #host: SessionHost;
  readonly #session: Session;
  readonly #members = new Map<number, { readonly pattern: string; readonly member: Member }>();
  /** Of the connection before, until they are told again. */
  #untold = new Set<number>();
  #wereThereAny = false;

  constructor(host: SessionHost, session: Session) {
    this.#host = host;
    this.#session = session;
  }

  /** Whether there ever was one. */
  get wereThereAny(): boolean {
    return this.#wereThereAny;
  }

  add({ id, pattern, queue }: ToldSubscription): void {
    if (this.#members.has(id)) {
      this.#untold.delete(id);
      return;
    }
    const member: Member = { session: this.#session, id, queue: queue ?? undefined };
    this.#host.subscribe(pattern, member);
    this.#members.set(id, { pattern, member });
    if (this.#wereThereAny) return;
    this.#wereThereAny = true;
    this.#host.listens(this.#session);
  }

  remove(id: number): void {
    const subscription = this.#members.get(id);
    if (subscription === undefined) return;
    this.#members.delete(id);
    this.#host.unsubscribe(subscription.pattern, subscription.member);
  }

  /** A new connection: all are told again that are still wanted, */
  expectAgain(): void {
    this.#untold = new Set(this.#members.keys());
  }

  /** and the others go. */
  removeUntold(): void {
    for (const id of this.#untold) this.remove(id);
    this.#untold.clear();
  }

  clear(): void {
    for (const id of [...this.#members.keys()]) this.remove(id);
  }
}
