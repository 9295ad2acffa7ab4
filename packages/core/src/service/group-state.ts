/**
 * What the members of a group have in common over all threads: memory, and replicated state such as certificates.
 *
 * The main thread publishes it for each member that is added there; a member that is added in another thread waits for its
 * own. Members are known by what they are (`memberKey`), since names come again when a member is replaced.
 */
import { within } from '../workers/within.ts';
import { isReplicated, type Replicated } from './replicated.ts';
import type { Service } from './service.ts';
import { allocateShared, clearRow, type ThreadPlace } from './thread-place.ts';

type Memory = Readonly<Record<string, SharedArrayBuffer>>;

/** What is known of one member. */
interface MemberState {
  readonly memory: Memory;
  /** Complete; undefined where there is nothing to copy. */
  readonly copy: unknown;
}

/** What threads are told: members by their keys, and keys of those that are there no more. */
export interface GroupStates {
  readonly members: Readonly<Record<string, MemberState>>;
  readonly gone: readonly string[];
}

interface Published {
  readonly service: Service;
  readonly key: string;
  readonly memory: Memory;
  unfollow(): void;
}

/** See the file's head. */
export class GroupState implements Replicated<GroupStates> {
  readonly scope = 'service';
  /** Into how many parts shared memory is divided; known before the group starts. */
  rows = 1;
  readonly #published: Map<Service, Published> = new Map();
  readonly #listeners: Set<(change: GroupStates) => void> = new Set();
  /** In a worker thread: what the main thread has told. */
  readonly #told: Map<string, MemberState> = new Map();
  readonly #waiting: Map<string, PromiseWithResolvers<void>> = new Map();
  /** In a worker thread: the members that are here. */
  readonly #joined: Set<Service> = new Set();

  /**
   * On the main thread: the member is there from now on. A service with the same name and the same needs, whose place it may
   * take, has its memory in common with it, so that both together keep to the limits.
   */
  publish(service: Service): Memory {
    const memory = this.#memoryFor(service);
    const key = memberKey(service, this.rows);
    const follow = service.replicated?.onChange(() => this.#tell(service));
    this.#published.set(service, { service, key, memory, unfollow: follow ?? (() => {}) });
    this.#tell(service);
    return memory;
  }

  /** On the main thread: the member is there no more. */
  withdraw(service: Service): void {
    const published = this.#published.get(service);
    if (published === undefined) return;
    published.unfollow();
    this.#published.delete(service);
    const isNeeded = [...this.#published.values()].some(({ key }) => key === published.key);
    if (!isNeeded) this.#emit({ members: {}, gone: [published.key] });
  }

  /**
   * In a worker thread: waits until the main thread has published the member, and gives it what belongs to it.
   *
   * @returns its memory; undefined when that does not come within `ms`.
   */
  async join(service: Service, place: ThreadPlace, ms: number): Promise<Memory | undefined> {
    const key = memberKey(service, place.rows);
    if (!this.#told.has(key)) {
      const waiting = this.#waiting.get(key) ?? Promise.withResolvers<void>();
      this.#waiting.set(key, waiting);
      await within(waiting.promise, ms);
      this.#waiting.delete(key);
    }
    const told = this.#told.get(key);
    this.#joined.add(service);
    if (told?.copy !== undefined) {
      service.replicated?.apply(told.copy);
      await service.replicated?.applied?.();
    }
    return told?.memory;
  }

  /** In a worker thread: the member is there no more. */
  leave(service: Service): void {
    this.#joined.delete(service);
  }

  /** A thread is gone: nothing is counted for it any more. */
  clearRow(row: number): void {
    for (const { memory } of this.#published.values()) clearRow(memory, row, this.rows);
  }

  snapshot(): GroupStates {
    return { members: Object.fromEntries([...this.#published.values()].map(entryOf)), gone: [] };
  }

  apply({ members, gone }: GroupStates): void {
    for (const key of gone) this.#told.delete(key);
    for (const [key, state] of Object.entries(members)) {
      this.#told.set(key, state);
      this.#waiting.get(key)?.resolve();
      this.#waiting.delete(key);
    }
    for (const service of this.#joined) {
      const state = members[memberKey(service, this.rows)];
      if (state?.copy !== undefined) service.replicated?.apply(state.copy);
    }
  }

  onChange(listener: (change: GroupStates) => void): () => void {
    const entry = (change: GroupStates): void => listener(change);
    this.#listeners.add(entry);
    return () => void this.#listeners.delete(entry);
  }

  #memoryFor(service: Service): Memory {
    const sizes = service.sharedMemory?.(this.rows) ?? {};
    const isSame = ({ memory, service: { name } }: Published): boolean =>
      name === service.name &&
      Object.keys(memory).length === Object.keys(sizes).length &&
      Object.entries(sizes).every(([part, bytes]) => memory[part]?.byteLength === bytes);
    return [...this.#published.values()].find(isSame)?.memory ?? allocateShared(sizes);
  }

  #tell(service: Service): void {
    const published = this.#published.get(service);
    if (published !== undefined) this.#emit({ members: Object.fromEntries([entryOf(published)]), gone: [] });
  }

  #emit(change: GroupStates): void {
    for (const listener of [...this.#listeners]) listener(change);
  }
}

function entryOf({ service, key, memory }: Published): readonly [string, MemberState] {
  const { replicated } = service;
  return [key, { memory, copy: isReplicated(replicated) ? replicated.snapshot() : undefined }];
}

/** What a member is, the same in every thread. */
function memberKey(service: Service, rows: number): string {
  const { name, replicated, socketNames } = service;
  return JSON.stringify([name, replicated?.key, socketNames, service.sharedMemory?.(rows)]);
}
