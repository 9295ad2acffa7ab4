/**
 * Who accepts where a slot has no thread, or one that does not answer: a sibling does, on duplicates of the kept sockets,
 * so that the connections which the system goes on putting into their queues are served.
 *
 * Also gives the threads of a service their part in its unix sockets, which only the first thread binds.
 */
import type { SocketRecord } from '../sockets/socket-record.ts';
import type { WorkerSlot } from './worker-slot.ts';
import type { WorkerThread } from './worker-thread.ts';

/** Stands for the unix sockets of the first slot where a slot would: they are never given back. */
const SHARED = -1;

/** Knows whose sockets are lent to whom. */
export class SocketLending {
  readonly #slots: readonly WorkerSlot[];
  /** By slot: the thread that accepts for it. */
  readonly #lent: Map<WorkerSlot, WorkerThread> = new Map();
  /** By thread: the unix sockets that it has a part in. */
  readonly #sharing: WeakMap<WorkerThread, WeakSet<SocketRecord>> = new WeakMap();

  constructor(slots: readonly WorkerSlot[]) {
    this.#slots = slots;
  }

  /** Brings everything into order, after something has changed with the slots. */
  settle(): void {
    for (const slot of this.#slots) {
      if (slot.awake === undefined) this.#lend(slot);
      else this.#takeBack(slot);
    }
    this.#shareUnixSockets();
  }

  #lend(slot: WorkerSlot): void {
    const present = this.#lent.get(slot);
    if (present !== undefined && this.#slots.some(({ awake }) => awake === present)) return;
    this.#takeBack(slot);
    const sockets = slot.vault.sockets.filter(({ kind }) => kind !== 'udp');
    const sibling = this.#sibling(slot);
    if (sibling === undefined || sockets.length === 0) return;
    this.#lent.set(slot, sibling);
    sibling.tell('adopt', { owner: slot.index, sockets });
  }

  /** The sibling that helps the fewest others. */
  #sibling(slot: WorkerSlot): WorkerThread | undefined {
    const helpers = [...this.#lent.values()];
    const burden = (thread: WorkerThread): number => helpers.filter((helper) => helper === thread).length;
    const siblings = this.#slots.flatMap((other) => (other === slot || !other.awake ? [] : [other.awake]));
    return siblings.toSorted((a, b) => burden(a) - burden(b))[0];
  }

  /** The sibling goes on with the connections that it has accepted. */
  #takeBack(slot: WorkerSlot): void {
    this.#lent.get(slot)?.tell('release', slot.index);
    this.#lent.delete(slot);
  }

  #shareUnixSockets(): void {
    const [first, ...others] = this.#slots;
    const sockets = first?.vault.sockets.filter(({ kind }) => kind === 'unix') ?? [];
    if (sockets.length === 0) return;
    for (const { thread, vault } of others) {
      if (thread === undefined) continue;
      const shared = this.#sharing.get(thread) ?? new WeakSet();
      this.#sharing.set(thread, shared);
      // Sockets of a predecessor may have been dealt to all.
      const isOwn = ({ kind, address }: SocketRecord): boolean =>
        vault.sockets.some((own) => own.kind === kind && own.address === address);
      const missing = sockets.filter((record) => !shared.has(record) && !isOwn(record));
      for (const record of missing) shared.add(record);
      if (missing.length > 0) thread.tell('adopt', { owner: SHARED, sockets: missing });
    }
  }
}
