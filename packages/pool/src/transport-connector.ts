/**
 * Opens the byte stream of a peer: names, every address, local address, tunnel, PROXY header, TLS, tracer, deadlines.
 */
import { isIP, isIPv6 } from 'node:net';
import { CirqueError } from '@cirque/error';
import type { TimerWheel } from '@cirque/timeout';
import { type Address, formatAddress, type InetAddress, isUnixAddress, type Stream } from '@cirque/transport';
import { boundOpening } from './bounded-opening.ts';
import { shown } from './check-option.ts';
import { connectCustom } from './connect-custom.ts';
import { type ConnectAttempt, connectTcp, type Opening, type OpeningWaiter, openTcp } from './connect-tcp.ts';
import { connectTunnel } from './connect-tunnel.ts';
import type { Peer } from './peer.ts';
import type { CustomConnect } from './peer-options.ts';
import { Resolver, type ResolverOptions } from './resolver.ts';
import { SourcePorts } from './source-ports.ts';
import { type BindTo, tcpPlanOf } from './tcp-peer-options.ts';
import { TlsConnector, type TlsConnectorOptions } from './tls-connector.ts';
import { traceConnection } from './trace-connection.ts';

/** Options of {@link TransportConnector}. */
export interface TransportConnectorOptions extends TlsConnectorOptions {
  /**
   * Local IPv4 addresses to connect from, one at random per connection (configuration `client_bind_to_ipv4`). A peer's
   * `bindTo` comes before. Default: the system's choice.
   */
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
  readonly #bindToIpv4: readonly string[];
  readonly #bindToIpv6: readonly string[];
  readonly #resolver: Resolver;
  readonly #random: () => number;
  readonly #ports: SourcePorts;
  readonly #network: CustomConnect | undefined;
  readonly #tls: TlsConnector;
  readonly #wheel: TimerWheel | undefined;

  /** @throws TypeError or RangeError naming the option. */
  constructor(options: TransportConnectorOptions = {}) {
    this.#bindToIpv4 = checkLocals('bindToIpv4', options.bindToIpv4, 4);
    this.#bindToIpv6 = checkLocals('bindToIpv6', options.bindToIpv6, 6);
    this.#resolver = new Resolver(options.resolver);
    this.#random = options.random ?? Math.random;
    this.#ports = new SourcePorts(this.#random);
    this.#network = options.connect;
    this.#wheel = options.wheel;
    this.#tls = new TlsConnector(options, options.wheel);
  }

  /**
   * A new connection to the peer, not started.
   *
   * A name is resolved and its addresses are tried one after another, each within `connectionTimeoutMs`. On the one that
   * answers a tunnel is asked for, a PROXY header sent and TLS spoken, as the peer says. What comes after the end of the
   * attempt is closed.
   * @param budgetMs time for all of it, 0 for no limit; by default the peer's `totalConnectionTimeoutMs`.
   * @throws CirqueError of a Connect type (or BindError, SocketError, InternalError, InvalidCert, TLSHandshakeFailure,
   * TLSHandshakeTimedout), source Upstream; TLSConfigError, source Internal. No byte of a request was sent.
   */
  async newStream(peer: Peer, signal?: AbortSignal, budgetMs?: number): Promise<Stream> {
    const { totalConnectionTimeoutMs, tracer } = peer.options;
    const what = `connecting to ${formatAddress(peer.address)}`;
    if (signal?.aborted === true) throw CirqueError.upstream('ConnectError', `${what} was cancelled`);
    const stop = new AbortController();
    const opening = this.#open(peer, stop.signal);
    const timeoutMs = budgetMs ?? totalConnectionTimeoutMs;
    try {
      const bounds = { timeoutMs, signal, wheel: this.#wheel, what: `${what}, all in all` };
      const stream = await boundOpening(opening, bounds);
      if (tracer !== undefined) traceConnection(stream, tracer);
      return stream;
    } catch (error) {
      stop.abort();
      throw error;
    }
  }

  /**
   * As {@link newStream} with callbacks. For plain connections to addresses, TCP or unix, it costs half of that: no promise,
   * no signal.
   *
   * @throws nothing: every failure is told the waiter, and not before this has returned.
   */
  open(peer: Peer, waiter: OpeningWaiter): Opening {
    return this.#isPlain(peer) ? this.#openPlain(peer, waiter) : new PromisedOpening(this, peer, waiter);
  }

  /** One address, and nothing to do but to connect to it and to send a header. */
  #isPlain({ address, options }: Peer): boolean {
    if (options.tls || options.totalConnectionTimeoutMs > 0 || this.#network !== undefined) return false;
    if (options.customConnect !== undefined || options.proxy !== undefined) return false;
    if (options.tracer !== undefined || options.bindTo !== undefined) return false;
    return isUnixAddress(address) || isIP(address.host) !== 0;
  }

  #openPlain(peer: Peer, waiter: OpeningWaiter): Opening {
    const { address, options } = peer;
    const { connectionTimeoutMs: timeoutMs, proxyProtocol } = options;
    const localAddress = isUnixAddress(address) ? undefined : this.#randomLocal(address.host);
    const attempt = { address, timeoutMs, options: tcpPlanOf(options), localAddress, wheel: this.#wheel };
    return openTcp(attempt, proxyProtocol === undefined ? waiter : new HeaderFirst(proxyProtocol, waiter));
  }

  async #open(peer: Peer, signal: AbortSignal): Promise<Stream> {
    const raw = await this.#openBytes(peer, signal);
    const { proxyProtocol, tls } = peer.options;
    if (proxyProtocol !== undefined) raw.writeLatin1(proxyProtocol);
    return tls ? this.#tls.connect(raw, peer, signal) : raw;
  }

  /** As far as the other end of the tunnel. */
  async #openBytes(peer: Peer, signal: AbortSignal): Promise<Stream> {
    const { address } = peer;
    const { customConnect, proxy, connectionTimeoutMs: timeoutMs } = peer.options;
    const wheel = this.#wheel;
    if (customConnect !== undefined) return this.#connectCustom(customConnect, address, peer, signal);
    if (proxy === undefined) return this.#connect(address, peer, signal);
    if (isUnixAddress(address)) {
      const what = `peer address ${formatAddress(address)} is a unix socket: expected host and port with a proxy`;
      throw CirqueError.internal('InternalError', what);
    }
    const stream = await this.#connect(proxy.nextHop, peer, signal);
    const cut = (): void => stream.destroy();
    signal.addEventListener('abort', cut, { once: true });
    await connectTunnel(stream, { authority: formatAddress(address), headers: proxy.headers, timeoutMs, wheel });
    signal.removeEventListener('abort', cut);
    return stream;
  }

  #connectCustom(connect: CustomConnect, address: Address, peer: Peer, signal: AbortSignal): Promise<Stream> {
    const { connectionTimeoutMs: timeoutMs } = peer.options;
    return connectCustom({ connect, address, timeoutMs, signal, wheel: this.#wheel });
  }

  async #connect(address: Address, peer: Peer, signal: AbortSignal): Promise<Stream> {
    if (this.#network !== undefined) return this.#connectCustom(this.#network, address, peer, signal);
    if (isUnixAddress(address)) return connectTcp(this.#attempt(address, peer, signal));
    const { bindTo } = peer.options;
    const hosts = ofFamily(await this.#resolver.resolve(address.host), address.host, bindTo);
    let failure: unknown;
    for (const host of hosts) {
      if (signal.aborted) break;
      try {
        return await this.#connectInet({ host, port: address.port }, peer, signal);
      } catch (error) {
        failure = error;
      }
    }
    throw failure ?? CirqueError.upstream('ConnectError', `connecting to ${formatAddress(address)} was cancelled`);
  }

  #connectInet(address: InetAddress, peer: Peer, signal: AbortSignal): Promise<Stream> {
    const { bindTo } = peer.options;
    const attempt = this.#attempt(address, peer, signal);
    if (bindTo !== undefined) return this.#ports.connect(attempt, bindTo);
    return connectTcp({ ...attempt, localAddress: this.#randomLocal(address.host) });
  }

  #attempt(address: Address, peer: Peer, signal: AbortSignal): ConnectAttempt {
    const { connectionTimeoutMs: timeoutMs, tls: toBeWrapped } = peer.options;
    return { address, timeoutMs, options: tcpPlanOf(peer.options), toBeWrapped, signal, wheel: this.#wheel };
  }

  #randomLocal(host: string): string | undefined {
    if (this.#bindToIpv4.length + this.#bindToIpv6.length === 0) return undefined;
    const choices = isIPv6(host) ? this.#bindToIpv6 : this.#bindToIpv4;
    return choices.length === 0 ? undefined : choices[Math.floor(this.#random() * choices.length)];
  }
}

/** Sends a PROXY header before anybody has the connection. */
class HeaderFirst implements OpeningWaiter {
  readonly #header: string;
  readonly #waiter: OpeningWaiter;

  constructor(header: string, waiter: OpeningWaiter) {
    this.#header = header;
    this.#waiter = waiter;
  }

  onOpened(stream: Stream): void {
    stream.writeLatin1(this.#header);
    this.#waiter.onOpened(stream);
  }

  onOpenFailed(error: CirqueError): void {
    this.#waiter.onOpenFailed(error);
  }
}

/** A connection that takes more than one step. */
class PromisedOpening implements Opening {
  readonly #stop = new AbortController();
  #waiter: OpeningWaiter | undefined;

  constructor(connector: TransportConnector, peer: Peer, waiter: OpeningWaiter) {
    this.#waiter = waiter;
    connector.newStream(peer, this.#stop.signal).then(
      (stream) => {
        const waiting = this.#settle();
        if (waiting === undefined) stream.destroy();
        else waiting.onOpened(stream);
      },
      (error: unknown) => this.#settle()?.onOpenFailed(CirqueError.from(error, 'ConnectError', 'Upstream')),
    );
  }

  cancel(): void {
    if (this.#settle() !== undefined) this.#stop.abort();
  }

  #settle(): OpeningWaiter | undefined {
    const waiter = this.#waiter;
    this.#waiter = undefined;
    return waiter;
  }
}

/** From an IPv4 address only IPv4 addresses can be reached, and so with IPv6; of a name those of the family are taken. */
function ofFamily(hosts: readonly string[], name: string, bindTo: BindTo | undefined): readonly string[] {
  if (bindTo === undefined || hosts[0] === name) return hosts;
  const family = isIP(bindTo.address);
  const fitting = hosts.filter((host) => isIP(host) === family);
  if (fitting.length > 0) return fitting;
  if (bindTo.fallback === true) return hosts;
  throw CirqueError.upstream('BindError', `${name} has no address of the family of bindTo ${bindTo.address}`);
}

function checkLocals(name: string, addresses: readonly string[] | undefined, family: 4 | 6): readonly string[] {
  if (addresses === undefined) return [];
  if (!Array.isArray(addresses)) throw new TypeError(`${name} is ${shown(addresses)}: expected a list of IP addresses`);
  for (const address of addresses) {
    if (isIP(address) === family) continue;
    throw new TypeError(`${name} holds ${shown(address)}: expected local IPv${family} addresses without port`);
  }
  return [...addresses];
}
