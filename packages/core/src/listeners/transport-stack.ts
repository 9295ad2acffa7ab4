/**
 * What happens to a connection between the system and the application: accept, limits, filter, hand-over.
 *
 * One stack per endpoint. Where there are handshakes (handshakes.ts), the PROXY header comes before the filter and TLS
 * behind it; all other connections take the short way.
 */
import { CirqueError } from '@cirque/error';
import { type Address, acceptStreams, type InetAddress, type Stream } from '@cirque/transport';
import type { ServerApp } from '../app/server-app.ts';
import type { Logger } from '../logger.ts';
import type { BoundListener } from './bound-listener.ts';
import { askFilter, type ConnectionFilter } from './connection-filter.ts';
import { maxAcceptedDescriptor } from './descriptor-limit.ts';
import type { Endpoint } from './endpoint.ts';
import { Handshakes } from './handshakes.ts';
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
  readonly #failures: ThrottledLog;
  readonly #handshakes: Handshakes | undefined;
  /** Streams that the application has not got yet, because their handshakes or their filter are not over. */
  readonly #pending: Set<Stream> = new Set();
  #stopped = false;

  constructor(endpoint: Endpoint, listener: BoundListener, context: StackContext) {
    this.address = listener.address;
    this.#listener = listener;
    this.#context = context;
    this.#warnings = new ThrottledLog(context.logger);
    this.#failures = new ThrottledLog(context.logger);
    this.#handshakes = Handshakes.of(endpoint);
    // Handshakes take bytes that may have to be put back, which only a duplex can.
    const reads = this.#handshakes === undefined ? (context.app.reads ?? 'duplex') : 'duplex';
    const options = { reads, maxDescriptor: maxAcceptedDescriptor(), ...(keepAliveOf(endpoint) ?? {}) };
    const onError = (error: CirqueError): void => this.#acceptFailed(error);
    // Without a listener an accept error (EMFILE, say) would end the process.
    listener.server.on('error', onError);
    acceptStreams(listener.server, options, (stream) => this.#accepted(stream), onError);
  }

  /** Accepts nothing more. Open connections stay, but for those whose handshakes are not over. */
  stop(): void {
    this.#stopped = true;
    this.#listener.close();
    for (const stream of this.#pending) stream.destroy();
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
    if (this.#handshakes !== undefined) void this.#shakeHands(stream, this.#handshakes);
    else if (filter === undefined) this.#handOver(stream);
    else this.#filter(stream, filter);
  }

  async #shakeHands(accepted: Stream, handshakes: Handshakes): Promise<void> {
    let stream = accepted;
    const client = stream.digest.socket.remoteAddress; // not known any more when the client has left
    this.#pending.add(stream);
    try {
      await handshakes.learnAddress(stream);
      if (await this.#passesFilter(stream)) {
        await handshakes.secure(stream, (secured) => {
          this.#pending.delete(stream);
          this.#pending.add(secured);
          this.#context.open.replace(stream, secured);
          stream = secured;
        });
      } else {
        stream.destroy();
      }
    } catch (error) {
      this.#handshakeFailed(stream, error, client);
    } finally {
      this.#pending.delete(stream);
    }
    this.#judged(stream, !stream.destroyed);
  }

  async #passesFilter(stream: Stream): Promise<boolean> {
    const { filter } = this.#context;
    if (filter === undefined) return true;
    try {
      return (await askFilter(filter, clientAddress(stream))) === true && !stream.destroyed;
    } catch (error) {
      this.#filterFailed(stream, error);
      return false;
    }
  }

  #handshakeFailed(stream: Stream, cause: unknown, client: string | undefined): void {
    const error = CirqueError.from(cause, 'HandshakeError');
    // Whoever looks whether a port is open does this.
    if (this.#stopped || error.type === 'ConnectionClosed') {
      this.#context.logger.debug({ err: error, client }, 'the client left during the handshake');
    } else {
      this.#failures.warn({ err: error, client }, 'connection refused: the handshake failed');
    }
    stream.destroy();
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
