/**
 * What happens to a connection between the system and the application: accept, limits, filter, hand-over.
 *
 * One stack per endpoint. Handshakes (TLS, PROXY protocol) belong between filter and hand-over.
 */
import { CirqueError } from '@cirque/error';
import { type Address, acceptStreams, type InetAddress, type Stream } from '@cirque/transport';
import type { ServerApp } from '../app/server-app.ts';
import type { Logger } from '../logger.ts';
import type { BoundListener } from './bound-listener.ts';
import { askFilter, type ConnectionFilter } from './connection-filter.ts';
import type { Endpoint } from './endpoint.ts';
import type { OpenStreams } from './open-streams.ts';
import { ThrottledLog } from './throttled-log.ts';

/** What the stacks of one service share. */
export interface StackContext {
  readonly app: ServerApp;
  readonly open: OpenStreams;
  readonly logger: Logger;
  readonly shutdown: AbortSignal;
  readonly filter: ConnectionFilter | undefined;
  readonly maxConnections: number | undefined;
}

/** Serves the connections of one bound endpoint. */
export class TransportStack {
  readonly address: Address;
  readonly #listener: BoundListener;
  readonly #context: StackContext;
  readonly #warnings: ThrottledLog;
  #stopped = false;

  constructor(endpoint: Endpoint, listener: BoundListener, context: StackContext) {
    this.address = listener.address;
    this.#listener = listener;
    this.#context = context;
    this.#warnings = new ThrottledLog(context.logger);
    const options = { reads: context.app.reads ?? 'duplex', ...(keepAliveOf(endpoint) ?? {}) };
    const onError = (error: CirqueError): void => this.#acceptFailed(error);
    // Without a listener an accept error (EMFILE, say) would end the process.
    listener.server.on('error', onError);
    acceptStreams(listener.server, options, (stream) => this.#accepted(stream), onError);
  }

  /** Accepts nothing more. Open connections stay. */
  stop(): void {
    this.#stopped = true;
    this.#listener.close();
  }

  #accepted(stream: Stream): void {
    const { filter, maxConnections, open } = this.#context;
    if (this.#stopped) {
      stream.destroy();
      return;
    }
    if (maxConnections !== undefined && open.size >= maxConnections) {
      this.#warnings.warn({ maxConnections }, 'connection refused: the service has as many as it may');
      stream.destroy();
      return;
    }
    open.add(stream);
    if (filter === undefined) this.#handOver(stream);
    else this.#filter(stream, filter);
  }

  #filter(stream: Stream, filter: ConnectionFilter): void {
    try {
      const verdict = askFilter(filter, clientAddress(stream));
      if (typeof verdict === 'boolean') this.#judged(stream, verdict);
      else this.#filterLater(stream, verdict);
    } catch (error) {
      this.#filterFailed(stream, error);
    }
  }

  #filterLater(stream: Stream, verdict: Promise<boolean>): void {
    // A callback stream reads from the start and would drop what nobody takes; a duplex keeps it.
    const holdBack = this.#context.app.reads === 'callback';
    if (holdBack) stream.pause();
    verdict.then(
      (accepted) => {
        if (holdBack && accepted && !stream.destroyed) stream.resume();
        this.#judged(stream, accepted);
      },
      (error: unknown) => this.#filterFailed(stream, error),
    );
  }

  #judged(stream: Stream, accepted: boolean): void {
    if (stream.destroyed) return;
    if (accepted === true && !this.#stopped) this.#handOver(stream);
    else stream.destroy();
  }

  #filterFailed(stream: Stream, error: unknown): void {
    this.#warnings.warn({ err: CirqueError.from(error, 'InternalError') }, 'connection refused: its filter failed');
    stream.destroy();
  }

  #handOver(stream: Stream): void {
    const { app, shutdown } = this.#context;
    try {
      const done = app.processNew(stream, shutdown);
      if (done !== undefined) done.then(undefined, (error: unknown) => this.#appFailed(stream, error));
    } catch (error) {
      this.#appFailed(stream, error);
    }
  }

  #appFailed(stream: Stream, cause: unknown): void {
    const error = CirqueError.from(cause, 'InternalError');
    const { logger } = this.#context;
    // A client that goes away is everyday life, a failing application is not.
    if (error.source === 'Downstream') logger.debug({ err: error }, 'connection ended with an error');
    else
      logger.error(
        { err: error, client: stream.digest.socket.remoteAddress },
        'the application failed on a connection',
      );
    if (!stream.destroyed) stream.destroy(error);
  }

  #acceptFailed(error: unknown): void {
    this.#warnings.warn({ err: error }, 'a connection could not be accepted; the listener goes on');
  }
}

function keepAliveOf(
  endpoint: Endpoint,
): { keepAlive: NonNullable<Extract<Endpoint, { kind: 'tcp' }>['keepAlive']> } | undefined {
  return endpoint.kind === 'tcp' && endpoint.keepAlive !== undefined ? { keepAlive: endpoint.keepAlive } : undefined;
}

function clientAddress(stream: Stream): InetAddress | undefined {
  const { remoteAddress, remotePort } = stream.digest.socket;
  return remoteAddress === undefined || remotePort === undefined
    ? undefined
    : { host: remoteAddress, port: remotePort };
}
