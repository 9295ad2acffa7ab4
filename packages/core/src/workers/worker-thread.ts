/**
 * One worker thread as the main thread sees it: started, ready, ended. Who starts it again is worker-group.ts.
 */
import { MessageChannel, Worker } from 'node:worker_threads';
import { CirqueError } from '@cirque/error';
import type { SocketRecord } from '../sockets/socket-record.ts';
import type { Entry } from './entry.ts';
import { type PlainError, revive, WorkerChannel } from './worker-channel.ts';
import { type WorkerRole, workerDataOf } from './worker-role.ts';

/** What a thread is started with. */
export interface WorkerThreadOptions {
  readonly entry: Entry;
  readonly role: Omit<WorkerRole, 'port'>;
  /** Most memory of its JavaScript heap, in MB. 0: as Node.js decides. */
  readonly heapMb: number;
  /** The heap of the thread is nearly full. */
  onFull(thread: WorkerThread): void;
}

/** How long a thread whose service has stopped may take to end by itself, in milliseconds. */
const LEAVE_MS = 500;

/** How a thread has ended: after it was told to, or with an error. */
export type WorkerEnd = CirqueError | undefined;

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
  #stopped = false;
  #readyAt: number | undefined;
  #error: CirqueError | undefined;

  constructor({ entry, role, heapMb, onFull }: WorkerThreadOptions) {
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
    this.#channel = new WorkerChannel(port1, {
      ready: (sockets: readonly SocketRecord[]) => this.#becomeReady(sockets),
      failed: (error: PlainError) => this.#fail(revive(error)),
      full: () => onFull(this),
      stopped: () => this.#leave(),
    });
    this.ready = this.#ready.promise;
    this.ready.catch(() => {}); // whoever waits for `ended` only need not look at it
    this.ended = this.#watch(entry, role);
  }

  /** How long it has been ready, in milliseconds; 0 before. */
  get readyForMs(): number {
    return this.#readyAt === undefined ? 0 : performance.now() - this.#readyAt;
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

  /** Ends the thread, whatever it does. */
  async terminate(): Promise<void> {
    this.#stopped = true;
    await this.#worker.terminate();
  }

  call<T>(name: string, argument?: unknown): Promise<T> {
    return this.#channel.call<T>(name, argument);
  }

  tell(name: string, argument?: unknown): void {
    this.#channel.tell(name, argument);
  }

  /** It is done. Whatever else the entry module does in this thread has a moment to come to its end. */
  #leave(): void {
    this.#stopped = true;
    const timer = setTimeout(() => void this.#worker.terminate(), LEAVE_MS);
    this.#worker.once('exit', () => clearTimeout(timer));
  }

  #becomeReady(sockets: readonly SocketRecord[]): void {
    this.#readyAt = performance.now();
    this.#ready.resolve(sockets);
  }

  /** It could not begin, and says why. */
  #fail(error: CirqueError): void {
    this.#error ??= error;
    void this.#worker.terminate();
  }

  #watch(entry: Entry, role: Omit<WorkerRole, 'port'>): Promise<WorkerEnd> {
    return new Promise((resolve) => {
      this.#worker.on('error', (error) => {
        this.#error ??= CirqueError.from(error, 'InternalError', 'Internal');
      });
      this.#worker.once('exit', (code) => {
        const error = this.#error ?? (this.#stopped ? undefined : this.#left(code, entry, role.service));
        this.#ready.reject(error ?? left('it was told to stop before it was ready'));
        this.#channel.close();
        resolve(error);
      });
    });
  }

  /** The thread is gone although nobody has told it to go. */
  #left(code: number, entry: Entry, service: string): CirqueError {
    if (this.#readyAt !== undefined) return left(`it ended by itself with code ${code}`);
    return left(
      `${String(entry.url)} ended with code ${code} before it ran a server with service ${JSON.stringify(service)}; with threads ` +
        'above 1 the entry module runs in every thread, up to runForever(): give `entry` if it is another one',
    );
  }
}

function left(reason: string): CirqueError {
  return CirqueError.internal('InternalError', `worker thread: ${reason}`);
}
