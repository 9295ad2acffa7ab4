/**
 * What the threads of a service begin with: the sockets of a predecessor, shared out among them, and the real addresses of
 * the others.
 */
import { type Sys, sysUnavailable } from '@cirque/sys';
import type { Logger } from '../logger.ts';
import type { Service, SocketName } from '../service/service.ts';
import type { SocketRecord } from '../sockets/socket-record.ts';
import { addressKey, closeDescriptor, type SocketTable } from '../sockets/socket-table.ts';
import { dealSockets, scarceAddress } from './deal-sockets.ts';
import type { WorkerSlot } from './worker-slot.ts';

/** What it works on. */
export interface ThreadPreparationParts {
  readonly service: Service;
  readonly table: SocketTable;
  readonly slots: readonly WorkerSlot[];
  readonly sys: Sys | undefined;
}

/** See the file's head. */
export class ThreadPreparation {
  readonly #parts: ThreadPreparationParts;
  /** By index: descriptors that came from a predecessor and go to the first thread of the slot without native calls. */
  #given: SocketRecord[][] = [];
  #resolved: Readonly<Record<string, string>> = {};
  #ownsPaths = true;

  constructor(parts: ThreadPreparationParts) {
    this.#parts = parts;
  }

  /** Configured addresses with what they stand for: see WorkerRole. */
  get resolved(): Readonly<Record<string, string>> {
    return this.#resolved;
  }

  /** False: the sockets come from a predecessor, and remain its own until it has let go. */
  get ownsPaths(): boolean {
    return this.#ownsPaths;
  }

  /** Takes the sockets of a predecessor: kept by the slots where they can be duplicated, else given to the first threads. */
  deal(logger: Logger): void {
    const { service, table, slots, sys } = this.#parts;
    const names = service.socketNames ?? table.rest().filter((record) => record.service === service.name);
    const inherited = names.flatMap(({ kind, address }) => table.take(service.name, kind, address));
    this.#ownsPaths = inherited.length === 0;
    const hands = dealSockets(inherited, slots.length, sys);
    const scarce = sys === undefined ? scarceAddress(inherited, slots.length) : undefined;
    if (scarce !== undefined)
      logger.warn(
        { address: scarce },
        `the service manager has opened fewer sockets than there are threads, which needs ReusePort=yes in the unit of the socket: ${sysUnavailable()}`,
      );
    if (sys === undefined) this.#given = hands;
    else for (const slot of slots) slot.vault.own(hands[slot.index] ?? []);
  }

  /**
   * Finds out what port 0 stands for, and refuses addresses on which somebody else listens.
   *
   * @throws CirqueError of type BindError.
   */
  async resolve(): Promise<void> {
    const { service } = this.#parts;
    // Threads for whom there is no inherited socket of port 0 bind the port of the others.
    const inherited = this.#open().filter(({ kind }) => kind !== 'unix');
    const known = Object.fromEntries(inherited.map(({ address, bound }) => [address, bound]));
    this.#resolved = { ...known, ...(await service.resolveEndpoints?.(this.#isOpen)) };
  }

  /** Takes what is given to the first thread of a slot. */
  take(index: number): readonly SocketRecord[] {
    return this.#given[index]?.splice(0) ?? [];
  }

  /** True: the paths of unix sockets are removed by the first thread when it ends. */
  setOwnsPaths(ownsPaths: boolean): void {
    this.#ownsPaths = ownsPaths;
  }

  /** Some thread has closed a socket: what the service does not need any more is kept for nobody. */
  forgetRemoved(): void {
    const { service, slots } = this.#parts;
    const names = service.socketNames;
    if (names === undefined) return;
    const wanted = new Set(names.map(keyOf));
    for (const slot of slots) slot.forget((record) => !wanted.has(keyOf(record)));
  }

  /** Closes what no thread has begun with. */
  close(): void {
    for (const { fd } of this.#given.flat()) closeDescriptor(fd);
  }

  readonly #isOpen = ({ kind, address }: SocketName): boolean =>
    this.#open().some((record) => record.kind === kind && record.address === address);

  #open(): readonly SocketRecord[] {
    return [...this.#given.flat(), ...this.#parts.slots.flatMap(({ sockets }) => sockets)];
  }
}

function keyOf({ kind, address }: SocketName): string {
  return `${kind} ${addressKey(kind, address)}`;
}
