/**
 * The listening sockets of one thread: those that were inherited and wait for their service, and those that are open.
 *
 * Only bookkeeping; opening and adopting is service-sockets.ts. An inherited descriptor must never be left without an
 * owner: the system goes on putting connections into its queue. What nobody takes is closed by {@link closeRest}.
 */
import { closeSync } from 'node:fs';
import { SocketAddress } from 'node:net';
import { formatAddress, isUnixAddress, parseAddress } from '@cirque/transport';
import type { SocketKind, SocketRecord } from './socket-record.ts';

/** What a thread knows of its sockets when it starts. */
export interface SocketTableOptions {
  /** Descriptors that were taken over: from a predecessor, from the service manager, from the main thread. */
  readonly inherited?: readonly SocketRecord[];
  /** True where several threads listen on the same addresses. Default false. */
  readonly reusePort?: boolean;
  /**
   * True where a successor may need several sockets of an address of which there is one, and has no native calls to make
   * them of it: sockets that are bound afresh allow others of the same user then, after a look whether somebody else
   * listens there. Default false.
   */
  readonly mayGrow?: boolean;
  /**
   * Set where this thread takes the place of another one that still serves, and whose descriptors cannot be duplicated: it
   * takes over the paths of unix sockets. `receives`: what listens on TCP is moved here later; `binds`: it binds beside
   * the other thread.
   */
  readonly heir?: 'receives' | 'binds' | undefined;
  /** Real addresses by configured ones, for port 0: all threads must bind the port that the first one was given. */
  readonly resolved?: Readonly<Record<string, string>>;
}

/** Something that is open and can say what it is at this moment. */
interface OpenSocket {
  readonly record: SocketRecord;
  /** Open on behalf of another thread, which knows of it. */
  readonly isForeign?: boolean;
  close?(): void;
}

/** Takes note of all that is open. */
type Witness = (sockets: readonly SocketRecord[]) => Promise<unknown>;

/** Keeps account of listening sockets. */
export class SocketTable {
  readonly reusePort: boolean;
  readonly mayGrow: boolean;
  readonly resolved: Readonly<Record<string, string>>;
  #heir: 'receives' | 'binds' | undefined;
  readonly #waiting: SocketRecord[];
  readonly #open: Set<OpenSocket> = new Set();
  #ownsInherited = false;
  #handedOver = false;
  #witness: Witness | undefined;
  #isToldSoon = false;
  #told: Promise<unknown> = Promise.resolve();

  constructor(options: SocketTableOptions = {}) {
    const { inherited = [], reusePort = false, mayGrow = false, heir, resolved = {} } = options;
    this.#waiting = [...inherited];
    this.reusePort = reusePort;
    this.mayGrow = mayGrow;
    this.#heir = heir;
    this.resolved = resolved;
  }

  /** See {@link SocketTableOptions}; undefined once it {@link isComplete}. */
  get heir(): 'receives' | 'binds' | undefined {
    return this.#heir;
  }

  /**
   * Takes the inherited descriptors of an address; each is given once. Those of the same service go first, others are
   * taken where it has none. Several are answered when the predecessor had several threads: all have the same real
   * address.
   */
  take(service: string, kind: SocketKind, address: string): readonly SocketRecord[] {
    const key = addressKey(kind, address);
    const fits = this.#waiting.filter((one) => one.kind === kind && addressKey(kind, one.address) === key);
    const first = fits.find((one) => one.service === service) ?? fits[0];
    if (first === undefined) return [];
    const taken = fits.filter((one) => one.service === first.service && one.bound === first.bound);
    for (const record of taken) this.#waiting.splice(this.#waiting.indexOf(record), 1);
    return taken;
  }

  /** Takes all inherited descriptors that belong to a service, whatever their addresses; each is given once. */
  takeAll(service: string): readonly SocketRecord[] {
    const taken = this.#waiting.filter((one) => one.service === service);
    for (const record of taken) this.#waiting.splice(this.#waiting.indexOf(record), 1);
    return taken;
  }

  /** True where {@link take} has something to give. */
  has(kind: SocketKind, address: string): boolean {
    const key = addressKey(kind, address);
    return this.#waiting.some((one) => one.kind === kind && addressKey(kind, one.address) === key);
  }

  /** The inherited descriptors that nobody has taken. */
  rest(): readonly SocketRecord[] {
    return [...this.#waiting];
  }

  /** Closes the descriptors that nobody has taken, and says which they were. */
  closeRest(): readonly SocketRecord[] {
    const rest = this.#waiting.splice(0);
    for (const { fd } of rest) closeDescriptor(fd);
    return rest;
  }

  /** The sockets that are open now, but for those of other threads. */
  list(): readonly SocketRecord[] {
    return [...this.#open].filter(({ isForeign }) => isForeign !== true).map(({ record }) => record);
  }

  /**
   * Everything that is there at the start is open: what was inherited beyond that is closed, what is opened later has no
   * predecessor.
   *
   * @param witness is told soon after each change from now on.
   */
  isComplete(witness: Witness): void {
    this.closeRest();
    this.#heir = undefined;
    this.#witness = witness;
  }

  /** Resolves when the witness has taken note of what has changed until now. */
  async settled(): Promise<void> {
    await this.#told;
  }

  /** A successor has the sockets: closing a unix socket leaves its path alone from now on. */
  handedOver(): void {
    this.#handedOver = true;
  }

  /**
   * The predecessor has let go of its sockets: the paths of adopted unix sockets are ours, and are removed at close.
   * Before that they are the predecessor's, which goes on serving when this process cannot.
   */
  takenOver(): void {
    this.#ownsInherited = true;
  }

  /**
   * The thread is about to die: closes what listens, so that it does not accept a connection which it cannot serve. Others
   * go on with the sockets.
   */
  abandon(): void {
    this.handedOver();
    for (const socket of [...this.#open]) socket.close?.();
  }

  /** Whether closing the socket of this record removes its path. */
  ownsPath(record: SocketRecord, adopted: boolean): boolean {
    return !this.#handedOver && record.activated !== true && (!adopted || this.#ownsInherited);
  }

  /** Keeps account of a socket until the function it answers is called. */
  opened(socket: OpenSocket): () => void {
    this.#open.add(socket);
    this.#changed();
    return () => {
      this.#open.delete(socket);
      this.#changed();
    };
  }

  /** Several changes of one moment are told together. */
  #changed(): void {
    const witness = this.#witness;
    if (witness === undefined || this.#isToldSoon) return;
    this.#isToldSoon = true;
    this.#told = Promise.resolve().then(() => {
      this.#isToldSoon = false;
      return witness(this.list());
    });
  }
}

/** Closes a descriptor; one that is closed already is no error. */
export function closeDescriptor(fd: number): void {
  try {
    closeSync(fd);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EBADF') throw error;
  }
}

/** One spelling for all spellings of an address: IPv6 has many. */
export function addressKey(kind: SocketKind, text: string): string {
  if (kind === 'unix') return text;
  const address = parseAddress(text);
  if (isUnixAddress(address) || !address.host.includes(':') || address.host.includes('%')) return text;
  const { address: host } = new SocketAddress({ address: address.host, family: 'ipv6' });
  return formatAddress({ host, port: address.port });
}
