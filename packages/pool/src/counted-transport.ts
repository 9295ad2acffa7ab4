/**
 * Opens connections for the pools, counts them, and publishes what becomes of them.
 */
import { CirqueError } from '@cirque/error';
import type { Stream } from '@cirque/transport';
import { type ConnectMessage, connectEnd, connectError, connectionClose, connectStart } from './diagnostics.ts';
import type { Peer } from './peer.ts';
import type { PeerCounters, PeerTable } from './peer-counters.ts';
import type { TransportConnector } from './transport-connector.ts';

/** A message while it is being filled in. */
type Draft = { -readonly [Name in keyof ConnectMessage]: ConnectMessage[Name] };

/** See the file's head. */
export class CountedTransport {
  readonly #transport: TransportConnector;
  readonly #peers: PeerTable;
  /** Connections opened since the start. */
  connects = 0;
  /** Attempts that ended without one, but for those that were given up by who asked. */
  connectFailures = 0;
  /** Connections with a TLS handshake of their own. */
  tlsHandshakes = 0;

  constructor(transport: TransportConnector, peers: PeerTable) {
    this.#transport = transport;
    this.#peers = peers;
  }

  /** As TransportConnector.newStream. */
  async newStream(peer: Peer, signal: AbortSignal | undefined, budgetMs: number | undefined): Promise<Stream> {
    const message: Draft = { peer, startedAt: performance.now() };
    connectStart.publish(message);
    try {
      const stream = await this.#transport.newStream(peer, signal, budgetMs);
      this.#opened(stream, message);
      return stream;
    } catch (error) {
      this.#failed(CirqueError.from(error, 'ConnectError', 'Upstream'), signal, message);
      throw error;
    }
  }

  #opened(stream: Stream, message: Draft): void {
    const { peer } = message;
    const counters = this.#peers.of(peer.address);
    this.connects += 1;
    counters.connects += 1;
    counters.connections += 1;
    if (peer.options.tls) this.tlsHandshakes += 1;
    message.endedAt = performance.now();
    if (connectEnd.hasSubscribers) {
      message.digest = stream.digest;
      connectEnd.publish(message);
    }
    const closed = (): void => this.#closed(counters, stream, message);
    // It may have happened while the promise was on its way.
    if (stream.duplex.closed) closed();
    else stream.duplex.on('close', closed);
  }

  #closed(counters: PeerCounters, stream: Stream, message: Draft): void {
    counters.connections -= 1;
    if (!connectionClose.hasSubscribers) return;
    message.digest ??= stream.digest;
    connectionClose.publish(message);
  }

  #failed(error: CirqueError, signal: AbortSignal | undefined, message: Draft): void {
    if (signal?.aborted !== true) {
      this.connectFailures += 1;
      this.#peers.of(message.peer.address).connectFailures += 1;
    }
    message.endedAt = performance.now();
    message.error = error;
    connectError.publish(message);
  }
}
