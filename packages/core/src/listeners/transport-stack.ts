/**
 * What happens to a connection between the system and the application: accept, limits, filter, hand-over.
 *
 * One stack per endpoint. Where there are handshakes (handshakes.ts), the PROXY header comes before the filter and TLS
 * behind it; all other connections take the short way.
 */
import { setImmediate as nextRound } from 'node:timers/promises';
import { CirqueError } from '@cirque/error';
import { type Address, acceptStreams, type InetAddress, type NodeSocketOptions, type Stream } from '@cirque/transport';
import type { ServerApp } from '../app/server-app.ts';
import type { Logger } from '../logger.ts';
import type { MovedServer } from '../workers/server-transfer.ts';
import type { BoundListener } from './bound-listener.ts';
import { askFilter, type ConnectionFilter } from './connection-filter.ts';
import { maxAcceptedDescriptor } from './descriptor-limit.ts';
import type { Endpoint } from './endpoint.ts';
import { Handshakes } from './handshakes.ts';
import type { ServiceConnections } from './service-connections.ts';
import { applyToListener } from './socket-options.ts';
import { ThrottledLog } from './throttled-log.ts';

/** What the stacks of one service share. */
export interface StackContext {
  readonly app: ServerApp;
  readonly connections: ServiceConnections;
  readonly logger: Logger;
  readonly shutdown: AbortSignal;
  readonly filter: ConnectionFilter | undefined;
}

/** Connections that the application has not got yet have so long when the service stops, in milliseconds. */
const STOP_LINGER_MS = 3_000;

/** Serves the connections of one bound endpoint. */
export class TransportStack {
  readonly address: Address;
  readonly #listener: BoundListener;
  readonly #context: StackContext;
  readonly #warnings: ThrottledLog;
  readonly #failures: ThrottledLog;
  readonly #handshakes: Handshakes | undefined;
  /** Nothing encrypted is spoken here, so that clients over a limit can be told. */
  readonly #mayAnswer: boolean;
  /** The service stops, and the application was told so. */
  #stopping = false;
  /** Connections accepted here. */
  #count = 0;

  /** @throws CirqueError for an option of the socket that cannot be set; the listener is closed then. */
  constructor(endpoint: Endpoint, listener: BoundListener, context: StackContext) {
    this.address = listener.address;
    this.#listener = listener;
    this.#context = context;
    this.#warnings = new ThrottledLog(context.logger);
    this.#failures = new ThrottledLog(context.logger);
    this.#handshakes = Handshakes.of(endpoint);
    this.#mayAnswer = endpoint.tls === undefined;
    // Handshakes take bytes that may have to be put back, which only a duplex can.
    const reads = this.#handshakes === undefined ? (context.app.reads ?? 'duplex') : 'duplex';
    const options = { reads, maxDescriptor: maxAcceptedDescriptor(), ...settleOptions(endpoint, listener, context) };
    const onError = (error: CirqueError): void => this.#acceptFailed(error);
    const attach = (): (() => void) => {
      // Without a listener an accept error (EMFILE, say) would end the process.
      listener.server.on('error', onError);
      const end = acceptStreams(listener.server, options, (stream) => this.#accepted(stream), onError);
      return () => {
        end();
        listener.server.off('error', onError);
      };
    };
    if (listener.serve === undefined) attach();
    else listener.serve(attach);
  }

  /**
   * Accepts nothing more; open connections stay. When the service stops, too, those whose handshakes or filter are under way
   * get to the application if that is over within three seconds, and it is told at once to end them.
   */
  stop(): void {
    this.#listener.close();
    const { connections, shutdown } = this.#context;
    this.#stopping = shutdown.aborted;
    if (this.#stopping) connections.pending.endWithin(STOP_LINGER_MS);
  }

  get isUnix(): boolean {
    return this.#listener.record.kind === 'unix';
  }

  /** The listening socket, which is to be moved to another thread: {@link stop} comes next. Undefined: it cannot travel. */
  get movable(): MovedServer | undefined {
    const { server, record } = this.#listener;
    return this.isUnix ? undefined : { server, record };
  }

  /**
   * Of a socket that nobody can reach any more, as another one has its path: accepts the connections that wait in its
   * queue, then closes it.
   */
  async acceptRest(): Promise<void> {
    // The event loop accepts at least one connection in each round, as long as there is one.
    let idleRounds = 0;
    while (idleRounds < 3) {
      const before = this.#count;
      await nextRound();
      idleRounds = this.#count === before ? idleRounds + 1 : 0;
    }
    this.#listener.close();
  }

  #accepted(stream: Stream): void {
    this.#count += 1;
    const { filter, connections } = this.#context;
    connections.counters.accepted += 1;
    connections.open.add(stream);
    if (!connections.limits.admit(stream)) this.#turnAway(stream, 'limit');
    else if (this.#handshakes !== undefined) void this.#shakeHands(stream, this.#handshakes);
    else if (!connections.limits.admitClient(stream)) this.#turnAway(stream, 'perClient');
    else if (filter === undefined) this.#handOver(stream);
    else this.#filter(stream, filter);
  }

  /** A connection too many. */
  #turnAway(stream: Stream, reason: 'limit' | 'perClient'): void {
    const { app, connections } = this.#context;
    const { maxConnections, maxConnectionsPerClient } = connections.limits.options;
    if (reason === 'limit') {
      this.#warnings.warn({ maxConnections }, 'connection refused: the service has as many as it may');
    } else {
      const client = stream.digest.socket.remoteAddress;
      this.#warnings.warn({ client, maxConnectionsPerClient }, 'connection refused: its client has as many as it may');
    }
    if (!connections.turnAway(stream, reason, this.#mayAnswer)) {
      stream.destroy();
      return;
    }
    try {
      app.overLimit?.(stream);
    } catch (error) {
      this.#appFailed(stream, error);
    }
  }

  async #shakeHands(accepted: Stream, handshakes: Handshakes): Promise<void> {
    const { connections } = this.#context;
    let stream = accepted;
    const client = stream.digest.socket.remoteAddress; // not known any more when the client has left
    connections.pending.add(stream);
    try {
      await handshakes.learnAddress(stream);
      if (!connections.limits.admitClient(stream)) {
        this.#turnAway(stream, 'perClient');
        return;
      }
      if (!(await this.#passesFilter(stream))) return;
      await handshakes.secure(stream, (secured) => {
        connections.pending.add(secured);
        connections.pending.delete(stream);
        connections.open.replace(stream, secured);
        stream = secured;
      });
      this.#handshakeDone(stream);
    } catch (error) {
      this.#handshakeFailed(stream, error, client);
    } finally {
      connections.pending.delete(stream);
    }
  }

  #handshakeDone(stream: Stream): void {
    const { handshakes } = this.#context.connections.counters;
    handshakes.completed += 1;
    if (stream.digest.ssl?.sessionReused === true) handshakes.resumed += 1;
    if (!stream.destroyed) this.#handOver(stream);
  }

  async #passesFilter(stream: Stream): Promise<boolean> {
    const { filter } = this.#context;
    if (filter === undefined) return true;
    try {
      const accepted = await askFilter(filter, clientAddress(stream));
      if (accepted !== true) this.#filteredOut(stream);
    } catch (error) {
      this.#filterFailed(stream, error);
    }
    return !stream.destroyed;
  }

  #handshakeFailed(stream: Stream, cause: unknown, client: string | undefined): void {
    const error = CirqueError.from(cause, 'HandshakeError');
    // Whoever looks whether a port is open does this.
    const { connections, logger } = this.#context;
    const { handshakes } = connections.counters;
    if (this.#stopping || error.type === 'ConnectionClosed') {
      handshakes.abandoned += 1;
      logger.debug({ err: error, client }, 'the client left during the handshake');
    } else {
      if (error.type === 'TLSHandshakeTimedout') handshakes.timedOut += 1;
      else handshakes.failed += 1;
      connections.refused(stream, 'handshake');
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
    const { reads = 'duplex' } = this.#context.app;
    const holdBack = reads !== 'duplex';
    const { pending } = this.#context.connections;
    if (holdBack) stream.pause();
    pending.add(stream);
    verdict.then(
      (accepted) => {
        pending.delete(stream);
        if (holdBack && accepted && !stream.destroyed) stream.resume();
        this.#judged(stream, accepted);
      },
      (error: unknown) => {
        pending.delete(stream);
        this.#filterFailed(stream, error);
      },
    );
  }

  #judged(stream: Stream, accepted: boolean): void {
    if (stream.destroyed) return;
    if (accepted === true) this.#handOver(stream);
    else this.#filteredOut(stream);
  }

  #filteredOut(stream: Stream): void {
    if (stream.destroyed) return;
    this.#context.connections.refused(stream, 'filter');
    stream.destroy();
  }

  #filterFailed(stream: Stream, error: unknown): void {
    this.#warnings.warn({ err: CirqueError.from(error, 'InternalError') }, 'connection refused: its filter failed');
    this.#context.connections.refused(stream, 'filterError');
    stream.destroy();
  }

  #handOver(stream: Stream): void {
    const { app, connections, shutdown } = this.#context;
    connections.events.opened(stream);
    try {
      const done = app.processNew(stream, shutdown);
      if (done !== undefined) done.then(undefined, (error: unknown) => this.#appFailed(stream, error));
      if (this.#stopping && !stream.destroyed) app.shutdownConnection?.(stream);
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
    if (isOutOfDescriptors(error)) this.#context.connections.counters.refused.descriptors += 1;
    this.#warnings.warn({ err: error }, 'a connection could not be accepted; the listener goes on');
  }
}

/** Sets what belongs on the listening socket, and answers what has to be set on every connection. */
function settleOptions(endpoint: Endpoint, listener: BoundListener, { logger }: StackContext): NodeSocketOptions {
  if (endpoint.kind === 'unix' || endpoint.socketOptions === undefined) return {};
  try {
    applyToListener(listener.server, endpoint.socketOptions, logger);
  } catch (error) {
    listener.close();
    throw error;
  }
  return endpoint.socketOptions.node ?? {};
}

function clientAddress(stream: Stream): InetAddress | undefined {
  const { remoteAddress, remotePort } = stream.digest.socket;
  return remoteAddress === undefined || remotePort === undefined
    ? undefined
    : { host: remoteAddress, port: remotePort };
}

/** The error of the system is the cause of a CirqueError, or comes as it is. */
function isOutOfDescriptors(error: unknown): boolean {
  const { code } = ((CirqueError.is(error) ? error.cause : error) ?? {}) as NodeJS.ErrnoException;
  return code === 'EMFILE' || code === 'ENFILE';
}
