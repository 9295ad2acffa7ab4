/**
 * One service of a group while it runs: started, stopped on its own or with the group, its end awaited.
 */
import { setMaxListeners } from 'node:events';
import { CirqueError } from '@cirque/error';
import { childLogger } from '../logger.ts';
import type { ServerConfiguration } from '../server/server-conf.ts';
import type { ServiceSockets } from '../sockets/service-sockets.ts';
import type { Service, ServiceContext } from './service.ts';
import type { ThreadPlace } from './thread-place.ts';

/** What a member is started with. */
export interface GroupMemberParts {
  readonly service: Service;
  /** Of the group. */
  readonly context: ServiceContext;
  readonly configuration: ServerConfiguration;
  readonly thread: ThreadPlace;
  /** The one whose place it takes, and whose sockets it goes on with. */
  readonly lender?: GroupMember | undefined;
}

/** See the file's head. */
export class GroupMember {
  readonly service: Service;
  readonly sockets: ServiceSockets;
  /** Resolves when it does its work; rejects when it cannot begin, after it has let go of everything. */
  readonly ready: Promise<void>;
  /** Resolves when it has stopped. */
  readonly ended: Promise<void>;
  readonly #shutdown = new AbortController();
  readonly #fast = new AbortController();
  readonly #context: ServiceContext;
  #isReady = false;

  /** Starts it. */
  constructor({ service, context, configuration, thread, lender }: GroupMemberParts) {
    this.service = service;
    const [shutdown, fast] = [this.#shutdown.signal, this.#fast.signal];
    setMaxListeners(0, shutdown, fast);
    this.sockets = context.sockets.forMember(shutdown, lender?.sockets);
    const ready = Promise.withResolvers<void>();
    this.ready = ready.promise;
    this.ready.catch(() => {}); // whoever waits for `ended` only need not look at it
    const becomeReady = (): void => {
      this.#isReady = true;
      ready.resolve();
    };
    const logger = childLogger(context.logger, { member: service.name });
    const parts = { configuration, thread, logger, shutdown, fast, sockets: this.sockets, ready: becomeReady };
    this.#context = { ...context, ...parts };
    this.ended = this.#run(context).then(becomeReady, (error: CirqueError) => {
      if (this.#isReady) logger.error({ err: error }, 'a service of the group failed; the others go on');
      else ready.reject(error);
    });
  }

  /** It was told to stop. */
  get isLeaving(): boolean {
    return this.#shutdown.signal.aborted;
  }

  /**
   * Stops it: what it has begun may finish for so long. Resolves when it listens nowhere any more, but where it has lent its
   * sockets.
   */
  async leave(graceMs: number): Promise<void> {
    this.#shutdown.abort();
    const timer = setTimeout(() => {
      const { openConnections } = this.service;
      this.#context.logger.warn({ openConnections }, 'cutting what a removed service has not finished');
      this.#fast.abort();
    }, graceMs).unref();
    void this.ended.then(() => clearTimeout(timer));
    // One that is about to begin opens what it opens, and closes it.
    await (this.#isReady ? Promise.race([this.sockets.idle(), this.ended]) : this.ended);
    await this.sockets.settled();
  }

  async #run({ shutdown, fast }: ServiceContext): Promise<void> {
    const unfollow = [follow(shutdown, this.#shutdown), follow(fast, this.#fast)];
    try {
      await this.service.start(this.#context);
    } catch (cause) {
      throw CirqueError.from(cause, 'InternalError', 'Internal');
    } finally {
      for (const stop of unfollow) stop();
      this.sockets.closeAll(); // what it has forgotten
    }
  }
}

/** Aborts `controller` with `signal`. The result ends that. */
function follow(signal: AbortSignal, controller: AbortController): () => void {
  const abort = (): void => controller.abort();
  if (signal.aborted) abort();
  else signal.addEventListener('abort', abort, { once: true });
  return () => signal.removeEventListener('abort', abort);
}
