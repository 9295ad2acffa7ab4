/**
 * The place of one worker of a service: there is a thread in it, or one is on its way. Threads that die, or answer nobody,
 * are replaced, more and more slowly when that happens again; what they listened on is lent to a sibling meanwhile
 * (socket-lending.ts).
 */
import { CirqueError } from '@cirque/error';
import type { Logger } from '../logger.ts';
import type { SocketRecord } from '../sockets/socket-record.ts';
import { BackOff } from './back-off.ts';
import type { SocketVault } from './socket-vault.ts';
import { endsWithin } from './within.ts';
import type { WorkerEnd, WorkerThread } from './worker-thread.ts';

/** After so many beats without an answer the sockets of a thread are lent, and after so many it is replaced. */
const LEND_AFTER = 3;
const REPLACE_AFTER = 10;

/** What a slot needs of its group. */
export interface SlotHost {
  readonly logger: Logger;
  /** How long a thread that was replaced may take to finish what it has begun, in milliseconds. */
  readonly leaveMs: number;
  /** Starts a thread for the slot that counts in this row of the shared memory, beside `old` where there is one. */
  spawn(slot: WorkerSlot, row: number, old: WorkerThread | undefined): WorkerThread;
  /**
   * `next` is ready and listens on `sockets`; gives it what `old` listens on where it could not have it from the start.
   * Answers its sockets then. When it rejects, `old` does not serve any more.
   */
  moveSockets(
    old: WorkerThread,
    next: WorkerThread,
    sockets: readonly SocketRecord[],
  ): Promise<readonly SocketRecord[]>;
  /** Some slot has begun to serve, or serves no more. */
  changed(): void;
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
  /** A heap that is full again and again is too small for what the program needs. */
  readonly #fullBackOff = new BackOff();
  /** All that live, but for those that cannot be ended. */
  readonly #living: Set<WorkerThread> = new Set();
  /** The one that serves, or will. */
  #thread: WorkerThread | undefined;
  #sockets: readonly SocketRecord[] = [];
  #isUp = false;
  #isSilent = false;
  #stopping = false;
  /** The one that is about to take its place. */
  #next: WorkerThread | undefined;
  /** Replacements come one after the other. */
  #replaced: Promise<void> = Promise.resolve();
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

  /** The same, unless it has not answered for some time. */
  get awake(): WorkerThread | undefined {
    return this.#isSilent ? undefined : this.thread;
  }

  /** All threads that live: also one that begins, and one that finishes what it has begun. */
  get living(): readonly WorkerThread[] {
    return [...this.#living];
  }

  /** What its thread listens on. */
  get sockets(): readonly SocketRecord[] {
    return this.vault.sockets.length > 0 ? this.vault.sockets : this.#sockets;
  }

  /** How often a thread was started in the place of another one, whatever the reason. */
  get restarts(): number {
    return this.#restarts;
  }

  /** Starts the first thread. Rejects when it cannot begin; it is not tried again then. */
  async start(): Promise<void> {
    try {
      const thread = this.#spawn(undefined);
      this.#thread = thread;
      this.#take(thread, await thread.ready);
    } catch (error) {
      this.#stopping = true;
      throw error;
    }
  }

  /**
   * Puts a new thread in the place of the present one, which finishes what it has begun. Resolves when that is over.
   * Rejects when the new one cannot begin: the old one goes on then.
   *
   * @param only nothing happens unless the present one is this.
   */
  replace(only?: WorkerThread): Promise<void> {
    const turn = this.#replaced.then(() => this.#replace(only));
    this.#replaced = turn.catch(() => {});
    return turn;
  }

  /** The heap of the thread is nearly full: another one takes its place before it stands still. */
  replaceFull(thread: WorkerThread): void {
    const { logger } = this.#host;
    const replaceInMs = this.#fullBackOff.next(thread.readyForMs);
    const facts = { worker: this.index, replaceInMs };
    logger.warn(facts, 'the heap of a worker is nearly full; another one takes its place');
    const replace = (): void => {
      this.replace(thread).catch((error: unknown) => {
        logger.error({ err: error, worker: this.index }, 'the worker could not be replaced; it goes on');
      });
    };
    setTimeout(replace, replaceInMs).unref();
  }

  /** A thread has opened or closed something: it listens on these now. */
  listens(thread: WorkerThread, sockets: readonly SocketRecord[]): void {
    if (thread !== this.#thread || !this.#isUp || this.#stopping) return;
    this.#sockets = sockets;
    // What the next one was given is closed when that is ready.
    if (this.#next === undefined) this.vault.keepOnly(sockets);
    else this.vault.keep(sockets);
    this.#host.changed();
  }

  /** What was closed in the other threads is not kept for a thread that is not there. */
  forget(isUnwanted: (record: SocketRecord) => boolean): void {
    if (this.#living.size === 0) this.vault.drop(isUnwanted);
  }

  /** To be called every second or so: asks the thread whether it is there, and does without it when it is not. */
  beat(): void {
    const { thread } = this;
    if (thread === undefined) return;
    const silentFor = thread.beat();
    const wasSilent = this.#isSilent;
    this.#isSilent = silentFor >= LEND_AFTER;
    if (this.#isSilent !== wasSilent) {
      const news = this.#isSilent ? 'does not answer; others accept its connections meanwhile' : 'answers again';
      this.#host.logger.warn({ worker: this.index }, `a worker ${news}`);
      this.#host.changed();
    }
    if (silentFor === REPLACE_AFTER) void this.#giveUp(thread);
  }

  /** Ends the threads gracefully; those that are not ready have nothing to finish, and may never be. */
  stop(): void {
    this.#stopping = true;
    clearTimeout(this.#restartTimer);
    // The kept descriptors would keep the sockets open, and nobody would accept.
    this.vault.close();
    for (const thread of this.#living) {
      if (thread.readyForMs > 0) thread.stop();
      else void thread.end();
    }
  }

  /** Ends them now, whatever they do. */
  async end(): Promise<void> {
    this.stop();
    await Promise.all(this.living.map((thread) => thread.end()));
  }

  /** Resolves when no thread is left; call it after {@link stop} or a failed start. */
  async ended(): Promise<void> {
    await Promise.all(this.living.map(({ ended }) => ended));
  }

  async #replace(only: WorkerThread | undefined): Promise<void> {
    const old = this.thread;
    if (old === undefined || this.#stopping || (only !== undefined && only !== old)) return;
    const next = this.#spawn(old);
    this.#next = next;
    let isMoving = false;
    try {
      const sockets = await next.ready;
      isMoving = true;
      this.#take(next, await this.#host.moveSockets(old, next, sockets));
    } catch (cause) {
      const error = CirqueError.from(cause, 'InternalError', 'Internal');
      this.#next = undefined;
      // Nobody knows who has which sockets: both go.
      await Promise.all([next.end(), isMoving ? old.end(error) : undefined]);
      if (this.#thread === undefined && this.#restartTimer === undefined) this.#restartLater(0, error);
      throw error;
    }
    this.#restarts += 1;
    // Not the old one removes the path of a unix socket, which is the new one's now.
    old.tell('handedOver');
    old.stop();
    if (!(await endsWithin(old.ended, this.#host.leaveMs))) await old.end();
  }

  #spawn(old: WorkerThread | undefined): WorkerThread {
    const taken = new Set(this.living.map(({ row }) => row));
    const row = this.#rows.find((one) => !taken.has(one)) ?? this.#rows[0];
    const thread = this.#host.spawn(this, row, old);
    this.#living.add(thread);
    void thread.ended.then((error) => {
      this.#living.delete(thread);
      this.#host.cleared(row);
      this.#ended(thread, error);
    });
    return thread;
  }

  /** From now on the slot is this thread. */
  #take(thread: WorkerThread, sockets: readonly SocketRecord[]): void {
    this.#thread = thread;
    this.#next = undefined;
    this.#sockets = sockets;
    this.#isUp = true;
    this.#isSilent = false;
    if (this.#stopping) {
      thread.stop();
      return;
    }
    this.vault.keepOnly(sockets);
    this.#host.changed();
  }

  /** The thread answers nobody. It is terminated where that works, and done without where it does not. */
  async #giveUp(thread: WorkerThread): Promise<void> {
    const error = CirqueError.internal('InternalError', 'worker thread: it has answered nobody for ten seconds');
    if (await thread.end(error)) return;
    this.#living.delete(thread); // nobody waits for it
    this.#host.logger.error(
      { worker: this.index },
      'a worker thread cannot be ended; its memory is lost until the end',
    );
    this.#ended(thread, error);
  }

  #ended(thread: WorkerThread, error: WorkerEnd): void {
    const { logger } = this.#host;
    if (this.#stopping || thread !== this.#thread) {
      if (error !== undefined && thread.readyForMs > 0)
        logger.error({ err: error, worker: this.index }, 'a worker failed while it was stopping');
      return;
    }
    this.#thread = undefined;
    this.#isUp = false;
    this.#isSilent = false;
    this.#sockets = [];
    this.#host.changed();
    this.#restartLater(thread.readyForMs, error);
  }

  #restartLater(ranMs: number, error?: WorkerEnd): void {
    if (this.#stopping) return;
    const { logger } = this.#host;
    const restartInMs = this.#backOff.next(ranMs);
    // Those that the system has put into the queue of its sockets, and nobody has accepted.
    const waitingConnections = this.vault.works ? 'kept' : 'lost';
    const facts = { err: error, worker: this.index, restartInMs, waitingConnections };
    logger.error(facts, 'a worker has ended; another one takes its place');
    clearTimeout(this.#restartTimer);
    this.#restartTimer = setTimeout(() => void this.#restart(), restartInMs);
  }

  async #restart(): Promise<void> {
    this.#restartTimer = undefined;
    // A replacement of the one that has died is there already, or on its way.
    if (this.#thread !== undefined || this.#next !== undefined) return;
    this.#restarts += 1;
    const thread = this.#spawnOrLater();
    if (thread === undefined) return;
    this.#thread = thread;
    try {
      const sockets = await thread.ready;
      if (this.#thread === thread) this.#take(thread, sockets);
    } catch {
      // `ended` says the same
    }
  }

  /** The system may have no thread to give, and a state that is to be copied may be one that cannot be. */
  #spawnOrLater(): WorkerThread | undefined {
    try {
      return this.#spawn(undefined);
    } catch (error) {
      this.#restartLater(0, CirqueError.from(error, 'InternalError', 'Internal'));
      return undefined;
    }
  }
}
