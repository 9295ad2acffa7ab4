/**
 * One worker thread as the main thread sees it: started, ready, ended. Who starts another one in its place is
 * worker-slot.ts.
 */
import { MessageChannel, type Transferable, Worker } from 'node:worker_threads';
import { CirqueError } from '@cirque/error';
import type { Logger } from '../logger.ts';
import type { SocketRecord } from '../sockets/socket-record.ts';
import type { Entry } from './entry.ts';
import type { Counted } from './thread-answers.ts';
import { endsWithin } from './within.ts';
import { type PlainError, revive, WorkerChannel } from './worker-channel.ts';
import { type WorkerRole, workerDataOf } from './worker-role.ts';

/** What a thread is started with. */
export interface WorkerThreadOptions {
  readonly entry: Entry;
  readonly role: Omit<WorkerRole, 'port'>;
  /** Most memory of its JavaScript heap, in MB. 0: as Node.js decides. */
  readonly heapMb: number;
  readonly logger: Logger;
  /** The heap of the thread is nearly full. */
  onFull(thread: WorkerThread): void;
  /** It has opened or closed sockets since it was ready, and listens on these now. */
  onSockets(thread: WorkerThread, sockets: readonly SocketRecord[]): void;
  /** The counters of the whole server, for a thread that asks. */
  serverStats(): Promise<unknown>;
  /** Its service has stopped. */
  onStopped(counted: Counted): void;
}

/** How long a thread whose service has stopped may take to end by itself, in milliseconds. */
const LEAVE_MS = 500;

/** How long a thread may take from its start to runForever() before that is odd, in milliseconds. */
const BEGIN_MS = 10_000;

/** How long a thread that was told to drop everything may take, and one that was terminated, in milliseconds. */
const CUT_MS = 500;
const TERMINATE_MS = 400;

/** How a thread has ended: after it was told to, or with an error. */
export type WorkerEnd = CirqueError | undefined;

/** Threads that were terminated and are not gone. */
const terminated: Set<Worker> = new Set();

/**
 * True while there are threads that were terminated and live on: V8 may be so busy with a full heap that it never
 * comes to an end. `process.exit()` would wait for them, for ever.
 */
export function someThreadCannotEnd(): boolean {
  return terminated.size > 0;
}

/** A running worker thread. */
export class WorkerThread {
  /** The sockets it listens on; rejects when it could not begin. */
  readonly ready: Promise<readonly SocketRecord[]>;
  /** Resolves when the thread is gone. */
  readonly ended: Promise<WorkerEnd>;
  readonly row: number;
  readonly #worker: Worker;
  readonly #channel: WorkerChannel;
  readonly #ready = Promise.withResolvers<readonly SocketRecord[]>();
  readonly #beginTimer: NodeJS.Timeout;
  #stopped = false;
  #isGone = false;
  #readyAt: number | undefined;
  #silentFor = 0;
  #error: CirqueError | undefined;

  constructor({ entry, role, heapMb, logger, onFull, onSockets, onStopped, serverStats }: WorkerThreadOptions) {
    const { port1, port2 } = new MessageChannel();
    this.row = role.row;
    this.#worker = new Worker(entry.url, {
      name: `${role.service} ${role.index}`,
      workerData: workerDataOf({ ...role, port: port2 }),
      transferList: [port2],
      argv: process.argv.slice(2),
      ...(entry.execArgv === undefined ? {} : { execArgv: [...entry.execArgv] }),
      ...(heapMb > 0 ? { resourceLimits: { maxOldGenerationSizeMb: heapMb } } : {}),
    });
    const answers = {
      begun: () => clearTimeout(this.#beginTimer),
      ready: (sockets: readonly SocketRecord[]) => this.#becomeReady(sockets),
      failed: (error: PlainError) => this.#fail(revive(error)),
      full: () => onFull(this),
      sockets: (sockets: readonly SocketRecord[]) => onSockets(this, sockets),
      serverStats,
      stopped: (counted: Counted) => {
        onStopped(counted);
        this.#leave();
      },
    };
    this.#channel = new WorkerChannel(port1, answers, (_, error) => this.#fail(CirqueError.from(error)));
    this.#beginTimer = setTimeout(() => logger.warn(neverRan(entry, role.service)), BEGIN_MS).unref();
    this.ready = this.#ready.promise;
    this.ready.catch(() => {}); // whoever waits for `ended` only need not look at it
    this.ended = this.#watch(entry, role);
  }

  /** How long it has been ready, in milliseconds; 0 before. */
  get readyForMs(): number {
    return this.#readyAt === undefined ? 0 : performance.now() - this.#readyAt;
  }

  /** To be called again and again: how many calls ago it was asked whether it is there, and has not answered. */
  beat(): number {
    if (this.#silentFor === 0) {
      this.#channel.call('beat').then(
        () => {
          this.#silentFor = 0;
        },
        () => {}, // `ended` says the same
      );
    }
    this.#silentFor += 1;
    return this.#silentFor - 1;
  }

  /** Stop accepting, finish what was begun, end. */
  stop(): void {
    this.#stopped = true;
    this.#channel.tell('stop');
  }

  /** Drop everything and end. */
  cut(): void {
    this.#stopped = true;
    this.#channel.tell('cut');
  }

  /**
   * Ends the thread, whatever it does: it may drop everything by itself, then it is terminated.
   *
   * @param error why, where it has not been asked to stop.
   * @returns false when it lives on all the same.
   */
  async end(error?: CirqueError): Promise<boolean> {
    this.#error ??= error;
    this.cut();
    if (await endsWithin(this.ended, CUT_MS)) return true;
    this.#terminate();
    return endsWithin(this.ended, TERMINATE_MS);
  }

  call<T>(name: string, argument?: unknown, transfer?: Transferable[]): Promise<T> {
    return this.#channel.call<T>(name, argument, transfer);
  }

  tell(name: string, argument?: unknown): void {
    this.#channel.tell(name, argument);
  }

  #terminate(): void {
    this.#stopped = true;
    if (this.#isGone) return;
    terminated.add(this.#worker);
    void this.#worker.terminate();
  }

  /** It is done. Whatever else the entry module does in this thread has a moment to come to its end. */
  #leave(): void {
    this.#stopped = true;
    if (this.#isGone) return;
    const timer = setTimeout(() => this.#terminate(), LEAVE_MS);
    this.#worker.once('exit', () => clearTimeout(timer));
  }

  #becomeReady(sockets: readonly SocketRecord[]): void {
    this.#readyAt = performance.now();
    this.#ready.resolve(sockets);
  }

  /** It could not begin, and says why. */
  #fail(error: CirqueError): void {
    this.#error ??= error;
    this.#terminate();
  }

  #watch(entry: Entry, role: Omit<WorkerRole, 'port'>): Promise<WorkerEnd> {
    return new Promise((resolve) => {
      this.#worker.on('error', (error) => {
        this.#error ??= CirqueError.from(error, 'InternalError', 'Internal');
      });
      this.#worker.once('exit', (code) => {
        clearTimeout(this.#beginTimer);
        terminated.delete(this.#worker);
        this.#isGone = true;
        this.#channel.hearLast();
        const error = this.#error ?? (this.#stopped ? undefined : this.#left(code, entry, role.service));
        this.#ready.reject(error ?? left('it was told to stop before it was ready'));
        this.#channel.close();
        resolve(error);
      });
    });
  }

  /** The thread is gone although nobody has told it to go. */
  #left(code: number, entry: Entry, service: string): CirqueError {
    return left(
      this.#readyAt === undefined
        ? `it ended with code ${code}: ${neverRan(entry, service)}`
        : `it ended by itself with code ${code}`,
    );
  }
}

function neverRan({ url }: Entry, service: string): string {
  return (
    `${String(url)} does not run a server with service ${JSON.stringify(service)} in a worker thread; with threads above 1 the ` +
    'entry module runs in every thread, up to runForever(): give `entry` if it is another one'
  );
}

function left(reason: string): CirqueError {
  return CirqueError.internal('InternalError', `worker thread: ${reason}`);
}
