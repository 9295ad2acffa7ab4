/**
 * The place of one worker of a service: there is a thread in it, or one is on its way. Threads that die are replaced,
 * more and more slowly when they die again; what they listened on is lent to a sibling meanwhile.
 */
import type { Logger } from '../logger.ts';
import type { SocketRecord } from '../sockets/socket-record.ts';
import { BackOff } from './back-off.ts';
import type { SocketVault } from './socket-vault.ts';
import type { WorkerEnd, WorkerThread } from './worker-thread.ts';

/** What a slot needs of its group. */
export interface SlotHost {
  readonly logger: Logger;
  /** Starts a thread for the slot that counts in this row of the shared memory. */
  spawn(slot: WorkerSlot, row: number): WorkerThread;
  /** The thread is serving. */
  up(slot: WorkerSlot): void;
  /** The slot has no thread any more. */
  down(slot: WorkerSlot): void;
  /** Nobody counts in this row any more. */
  cleared(row: number): void;
}

/** One slot. `index` is that of its threads. */
export class WorkerSlot {
  readonly index: number;
  readonly vault: SocketVault;
  readonly #host: SlotHost;
  readonly #rows: readonly [number, number];
  readonly #backOff = new BackOff();
  #thread: WorkerThread | undefined;
  #sockets: readonly SocketRecord[] = [];
  #isUp = false;
  #stopping = false;
  #restartTimer: NodeJS.Timeout | undefined;
  #restarts = 0;

  /** @param rows the row of its threads, and that of a thread which replaces one that still works. */
  constructor(index: number, rows: readonly [number, number], vault: SocketVault, host: SlotHost) {
    this.index = index;
    this.#rows = rows;
    this.vault = vault;
    this.#host = host;
  }

  /** The thread that serves now. */
  get thread(): WorkerThread | undefined {
    return this.#isUp ? this.#thread : undefined;
  }

  /** What its thread listens on. */
  get sockets(): readonly SocketRecord[] {
    return this.vault.sockets.length > 0 ? this.vault.sockets : this.#sockets;
  }

  /** How often a thread was started in the place of one that had ended by itself. */
  get restarts(): number {
    return this.#restarts;
  }

  /** Starts the first thread. Rejects when it cannot begin; it is not tried again then. */
  async start(): Promise<void> {
    const thread = this.#spawn(this.#rows[0]);
    await thread.ready.catch((error: unknown) => {
      this.#stopping = true;
      throw error;
    });
  }

  /** Puts a new thread in the place of the present one, which finishes what it has begun. */
  async replace(): Promise<void> {
    const old = this.thread;
    if (old === undefined || this.#stopping) return;
    const next = this.#host.spawn(this, old.row === this.#rows[0] ? this.#rows[1] : this.#rows[0]);
    const sockets = await next.ready;
    this.#take(next, sockets);
    old.stop();
    await old.ended;
    this.#host.cleared(old.row);
  }

  /** Ends the threads gracefully. */
  stop(): void {
    this.#prepareStop();
    this.#thread?.stop();
  }

  /** Ends them now. */
  cut(): void {
    this.#prepareStop();
    this.#thread?.cut();
  }

  /** Resolves when no thread is left; call it after {@link stop}, {@link cut} or a failed start. */
  async ended(): Promise<void> {
    await this.#thread?.ended;
  }

  /** Ends what does not listen to {@link cut}. */
  async terminate(): Promise<void> {
    await this.#thread?.terminate();
  }

  #prepareStop(): void {
    this.#stopping = true;
    clearTimeout(this.#restartTimer);
    // The kept descriptors would keep the sockets open, and nobody would accept.
    this.vault.close();
  }

  #spawn(row: number): WorkerThread {
    const thread = this.#host.spawn(this, row);
    this.#thread = thread;
    void thread.ended.then((error) => this.#ended(thread, error));
    thread.ready.then(
      (sockets) => this.#take(thread, sockets),
      () => {}, // `ended` says the same
    );
    return thread;
  }

  #take(thread: WorkerThread, sockets: readonly SocketRecord[]): void {
    if (thread !== this.#thread) void thread.ended.then((error) => this.#ended(thread, error));
    this.#thread = thread;
    this.#sockets = sockets;
    this.#isUp = true;
    this.vault.keep(sockets);
    if (this.#stopping) thread.stop();
    else this.#host.up(this);
  }

  #ended(thread: WorkerThread, error: WorkerEnd): void {
    if (thread !== this.#thread) return; // replaced
    this.#host.cleared(thread.row);
    const wasUp = this.#isUp;
    this.#isUp = false;
    this.#sockets = [];
    if (this.#stopping) {
      if (error !== undefined && wasUp)
        this.#host.logger.error({ err: error, worker: this.index }, 'a worker failed while it was stopping');
      return;
    }
    this.#host.down(this);
    const restartInMs = this.#backOff.next(thread.readyForMs);
    this.#host.logger.error(
      { err: error, worker: this.index, restartInMs },
      'a worker has ended; another one takes its place',
    );
    this.#restartTimer = setTimeout(() => this.#restart(thread.row), restartInMs);
  }

  #restart(row: number): void {
    this.#restarts += 1;
    this.#spawn(row);
  }
}
