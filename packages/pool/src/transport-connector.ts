/**
 * Opens the byte stream of a peer: names, every address, local address, tunnel, tracer, deadlines.
 */
import { isIPv6 } from 'node:net';
import { CirqueError, fromNodeError } from '@cirque/error';
import { type TimerWheel, withDeadline } from '@cirque/timeout';
import { type Address, formatAddress, isUnixAddress, Stream } from '@cirque/transport';
import { connectTcp } from './connect-tcp.ts';
import { connectTunnel } from './connect-tunnel.ts';
import type { Peer } from './peer.ts';
import type { CustomConnect } from './peer-options.ts';
import { Resolver, type ResolverOptions } from './resolver.ts';

/** Options of {@link TransportConnector}. */
export interface TransportConnectorOptions {
  /** Local IPv4 addresses to connect from, one at random per connection (configuration `client_bind_to_ipv4`). */
  readonly bindToIpv4?: readonly string[];
  /** The same for IPv6. */
  readonly bindToIpv6?: readonly string[];
  readonly resolver?: ResolverOptions;
  /** From 0 inclusive to 1 exclusive; for tests. */
  readonly random?: () => number;
  /** @internal In the place of the network, for tests: opens every connection that has no connect of its own. */
  readonly connect?: CustomConnect;
  /** @internal for hand-driven time */
  readonly wheel?: TimerWheel;
}

/** Opens connections; keeps none. */
export class TransportConnector {
  readonly #options: TransportConnectorOptions;
  readonly #resolver: Resolver;
  readonly #random: () => number;

  constructor(options: TransportConnectorOptions = {}) {
    this.#options = options;
    this.#resolver = new Resolver(options.resolver);
    this.#random = options.random ?? Math.random;
  }

  /**
   * A new connection to the peer, not started.
   *
   * A name is resolved and its addresses are tried one after another, each within `connectionTimeoutMs`.
   * @throws CirqueError of a Connect type, source Upstream; nothing was sent to the peer.
   */
  async newStream(peer: Peer, signal?: AbortSignal): Promise<Stream> {
    const { totalConnectionTimeoutMs, tracer } = peer.options;
    const stop = new AbortController();
    const onAbort = (): void => stop.abort();
    signal?.addEventListener('abort', onAbort);
    try {
      const opening = this.#open(peer, stop.signal);
      const stream = await (totalConnectionTimeoutMs > 0 ? within(opening, peer, stop, this.#options.wheel) : opening);
      if (tracer !== undefined) trace(stream, tracer);
      return stream;
    } catch (error) {
      // Whoever still works on a connection learns that nobody waits for it any more.
      stop.abort();
      throw error;
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
  }

  async #open(peer: Peer, signal: AbortSignal): Promise<Stream> {
    const { customConnect, proxy, connectionTimeoutMs } = peer.options;
    if (customConnect !== undefined) return this.#openCustom(customConnect, peer.address, peer, signal);
    if (proxy === undefined) return this.#connect(peer.address, peer, signal);
    const stream = await this.#connect(proxy.nextHop, peer, signal);
    const cut = (): void => stream.destroy();
    signal.addEventListener('abort', cut, { once: true });
    await connectTunnel(stream, tunnelAuthority(peer.address), proxy.headers ?? {}, connectionTimeoutMs);
    signal.removeEventListener('abort', cut);
    return stream;
  }

  async #connect(address: Address, peer: Peer, signal: AbortSignal): Promise<Stream> {
    const { connect } = this.#options;
    if (connect !== undefined) return this.#openCustom(connect, address, peer, signal);
    if (isUnixAddress(address)) return this.#attempt(address, peer, undefined, signal);
    const hosts = await this.#resolver.resolve(address.host);
    let failure: unknown;
    for (const host of hosts) {
      if (signal.aborted) break;
      try {
        return await this.#bindAndAttempt({ host, port: address.port }, peer, signal);
      } catch (error) {
        failure = error;
      }
    }
    throw failure ?? CirqueError.upstream('ConnectError', `connecting to ${formatAddress(address)} was cancelled`);
  }

  async #bindAndAttempt(address: { host: string; port: number }, peer: Peer, signal: AbortSignal): Promise<Stream> {
    const { bindTo } = peer.options;
    try {
      return await this.#attempt(address, peer, bindTo?.address ?? this.#randomLocal(address.host), signal);
    } catch (error) {
      if (bindTo?.fallback !== true || !(error instanceof CirqueError) || error.rootType() !== 'BindError') throw error;
      return this.#attempt(address, peer, undefined, signal);
    }
  }

  #attempt(address: Address, peer: Peer, localAddress: string | undefined, signal: AbortSignal): Promise<Stream> {
    const { connectionTimeoutMs, tcpKeepAlive } = peer.options;
    const { wheel } = this.#options;
    return connectTcp({
      address,
      timeoutMs: connectionTimeoutMs,
      localAddress,
      keepAlive: tcpKeepAlive,
      signal,
      wheel,
    });
  }

  async #openCustom(connect: CustomConnect, address: Address, peer: Peer, signal: AbortSignal): Promise<Stream> {
    const { connectionTimeoutMs } = peer.options;
    const where = formatAddress(address);
    try {
      const opening = Promise.resolve(connect(address, signal));
      const onTimeout = (): CirqueError => {
        opening.then((late) => late?.destroy(), ignore);
        return new CirqueError('ConnectTimedout', `connecting to ${where}`, { source: 'Upstream' });
      };
      const duplex = await (connectionTimeoutMs > 0
        ? withDeadline(opening, connectionTimeoutMs, onTimeout, this.#options.wheel)
        : opening);
      if (typeof duplex?.write !== 'function') throw new TypeError('customConnect did not answer a Duplex');
      return new Stream(duplex, 'Upstream');
    } catch (error) {
      if (error instanceof CirqueError) throw error;
      throw fromNodeError(error, 'connect', 'Upstream', `connecting to ${where}`);
    }
  }

  #randomLocal(host: string): string | undefined {
    const choices = (isIPv6(host) ? this.#options.bindToIpv6 : this.#options.bindToIpv4) ?? [];
    return choices.length === 0 ? undefined : choices[Math.floor(this.#random() * choices.length)];
  }
}

function within(
  opening: Promise<Stream>,
  peer: Peer,
  stop: AbortController,
  wheel: TimerWheel | undefined,
): Promise<Stream> {
  const onTimeout = (): CirqueError => {
    stop.abort();
    // What still arrives afterwards belongs to nobody.
    opening.then((late) => late.destroy(), ignore);
    return new CirqueError('ConnectTimedout', `connecting to ${formatAddress(peer.address)}, all in all`, {
      source: 'Upstream',
    });
  };
  return withDeadline(opening, peer.options.totalConnectionTimeoutMs, onTimeout, wheel);
}

function tunnelAuthority(address: Address): string {
  if (!isUnixAddress(address)) return formatAddress(address);
  throw new TypeError('a peer behind a proxy must have a host and a port, not a unix path');
}

function trace(stream: Stream, tracer: NonNullable<Peer['options']['tracer']>): void {
  attempt(() => tracer.onConnected?.(stream.digest));
  let failure: CirqueError | undefined;
  stream.duplex.on('error', (error) => {
    failure = CirqueError.from(error, 'ReadError', 'Upstream');
  });
  stream.duplex.on('close', () => attempt(() => tracer.onDisconnected?.(failure)));
}

/** A tracer only watches: what it throws is its own affair, reported where nobody can miss it but nothing breaks. */
function attempt(call: () => void): void {
  try {
    call();
  } catch (error) {
    process.emitWarning(`connection tracer failed: ${String(error)}`, 'CirqueWarning');
  }
}

function ignore(): void {}
