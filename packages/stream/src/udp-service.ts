/**
 * A service that proxies UDP: addresses, sessions, and how both come to their end.
 */
import {
  checkUdp,
  type EndpointCheck,
  type ListeningAddress,
  probeUdp,
  type ServerConfiguration,
  type Service,
  type ServiceContext,
  type StatsTree,
  type UdpSocketOptions,
} from '@cirque/core';
import { CirqueError } from '@cirque/error';
import { formatAddress, type InetAddress, isUnixAddress, parseAddress } from '@cirque/transport';
import { drainFlows } from './udp/drain-flows.ts';
import { Flows } from './udp/flows.ts';
import { socketPlan } from './udp/socket-plan.ts';
import { resolveUdpHooks, type UdpHooks } from './udp/udp-hooks.ts';
import { UdpListener } from './udp/udp-listener.ts';
import { type ResolvedUdpOptions, resolveUdpOptions, type UdpOptions } from './udp-options.ts';
import type { UdpPhases } from './udp-proxy.ts';

/** Options of {@link udpProxyService}; they go before what the configuration says. */
export interface UdpProxyServiceOptions extends UdpOptions {
  /** Name of the service in logs. Default `UDP proxy`. */
  readonly name?: string;
  /** How many worker threads serve; `auto`: one for each processor. Default: as the configuration says (`threads`). */
  readonly threads?: number | 'auto';
}

/** Options of an address. `reusePort` is the service's own affair. */
export type UdpAddressOptions = Omit<UdpSocketOptions, 'reusePort'>;

/** An address as it was added. */
interface Endpoint {
  readonly address: InetAddress;
  readonly options: UdpSocketOptions;
}

/** The type of names that core's sockets have. */
type SocketName = NonNullable<Service['socketNames']>[number];

/**
 * A service that proxies UDP with the given phases.
 *
 * Reads of the configuration: `clientBindToIpv4`, `clientBindToIpv6`.
 *
 * @throws TypeError or RangeError for a proxy without its required phases, and for wrong options.
 */
export function udpProxyService<Ctx>(
  configuration: Pick<ServerConfiguration, 'clientBindToIpv4' | 'clientBindToIpv6'>,
  proxy: UdpPhases<Ctx>,
  options: UdpProxyServiceOptions = {},
): UdpProxyService<Ctx> {
  const { clientBindToIpv4, clientBindToIpv6 } = configuration;
  return new UdpProxyService(proxy, { clientBindToIpv4, clientBindToIpv6, ...options });
}

/** See the file's head; made by {@link udpProxyService}. */
export class UdpProxyService<Ctx = undefined> implements Service {
  readonly name: string;
  readonly threads: number | 'auto' | 'configured';
  readonly #hooks: UdpHooks<Ctx>;
  readonly #options: ResolvedUdpOptions;
  readonly #endpoints: Endpoint[] = [];
  readonly #listeners: UdpListener<Ctx>[] = [];
  #flows: Flows<Ctx> | undefined;
  #resolved: Readonly<Record<string, string>> = {};

  constructor(proxy: UdpPhases<Ctx>, { name = 'UDP proxy', threads, ...options }: UdpProxyServiceOptions = {}) {
    if (typeof name !== 'string' || name === '') throw new TypeError('a service needs a name that is not empty');
    if (threads !== undefined && threads !== 'auto' && !(Number.isInteger(threads) && threads >= 1)) {
      throw new RangeError(
        `threads of service ${name} must be 'auto' or a whole number from 1, got ${String(threads)}`,
      );
    }
    this.name = name;
    this.threads = threads ?? 'configured';
    this.#hooks = resolveUdpHooks(proxy);
    this.#options = resolveUdpOptions(options);
  }

  /**
   * Receives on `host:port` or `[ipv6]:port`; answers leave from there. For `0.0.0.0` and `[::]` the system chooses the address
   * that answers leave from, by the route to the client: a machine with several addresses should name them one by one.
   * Port 0 lets the system choose: see {@link endpoints}.
   *
   * @throws TypeError or RangeError for a wrong address or option.
   */
  addUdp(address: string | InetAddress, options: UdpAddressOptions = {}): this {
    if (this.#flows !== undefined)
      throw new Error(`addUdp() of service ${this.name} must come before the server starts`);
    const parsed = parseAddress(typeof address === 'string' ? address : formatAddress(address));
    if (isUnixAddress(parsed)) throw new TypeError(`addUdp() needs 'host:port', got ${JSON.stringify(address)}`);
    const reusePort = this.#options.sessionSockets === 'auto' && process.platform === 'linux';
    this.#endpoints.push({ address: parsed, options: { ...options, reusePort } });
    return this;
  }

  /** Where it receives: as configured before the start, as bound (with real ports) from then on. */
  get endpoints(): readonly ListeningAddress[] {
    const bound = this.#listeners.map(({ address }) => address);
    const addresses = bound.length > 0 ? bound : this.#endpoints.map(({ address }) => this.#real(address));
    return addresses.map((address) => ({ ...address, text: formatAddress(address) }));
  }

  /** Sessions that are open in this thread. */
  get openConnections(): number {
    return this.#flows?.size ?? 0;
  }

  /** Counters and gauges of this thread: `sessions`, `datagrams`, `bytes`. */
  stats(): StatsTree {
    return this.#flows?.stats() ?? {};
  }

  /** The sockets that it needs. */
  get socketNames(): readonly SocketName[] {
    return this.#endpoints.map(({ address }) => ({ kind: 'udp', address: formatAddress(address) }));
  }

  /** Called by the server before threads share the addresses. */
  async resolveEndpoints(isInherited: (name: SocketName) => boolean): Promise<Readonly<Record<string, string>>> {
    const resolved: Record<string, string> = {};
    for (const { address, options } of this.#endpoints) {
      const text = formatAddress(address);
      if (Object.hasOwn(resolved, text)) throw this.#startFailed(twice(text));
      if (isInherited({ kind: 'udp', address: text })) continue;
      const bound = await probeUdp(address, options).catch((error: unknown) => {
        throw this.#startFailed(error);
      });
      resolved[text] = formatAddress(bound);
    }
    this.#resolved = resolved;
    return resolved;
  }

  /** Called by the server for `--test`. */
  async check(): Promise<readonly EndpointCheck[]> {
    const checks: EndpointCheck[] = [];
    for (const { address, options } of this.#endpoints) checks.push(await checkUdp(address, options));
    return checks;
  }

  /**
   * Called by the server. Receives until `context.shutdown`; sessions go on until they are idle, or until `context.fast`.
   *
   * @throws CirqueError of type BindError, naming the address, the reason and a remedy.
   */
  async start(context: ServiceContext): Promise<void> {
    if (this.#flows !== undefined) throw new Error(`service ${this.name} has been started already`);
    if (this.#endpoints.length === 0) {
      throw new TypeError(`service ${this.name} has no address: call addUdp() before the server starts`);
    }
    const { shutdown, fast, logger, thread, ready } = context;
    const plan = socketPlan(this.#options, thread.count);
    const flows = new Flows({ service: this.name, options: this.#options, hooks: this.#hooks, plan, logger });
    this.#flows = flows;
    try {
      if (!shutdown.aborted) await this.#open(context, flows);
    } catch (error) {
      for (const listener of this.#listeners) listener.close();
      flows.finishAll('shutdown');
      throw this.#startFailed(error);
    }
    logger.info({ endpoints: this.endpoints.map(({ text }) => text) }, 'receiving datagrams');
    ready();
    await aborted(shutdown);
    await drainFlows(flows, this.#listeners, fast);
  }

  async #open({ sockets }: ServiceContext, flows: Flows<Ctx>): Promise<void> {
    for (const { address, options } of this.#endpoints) {
      const bound = await sockets.udp(address, options);
      this.#listeners.push(new UdpListener(bound, options.ipv6Only === true, flows));
    }
  }

  #real(address: InetAddress): InetAddress {
    const text = this.#resolved[formatAddress(address)];
    const real = text === undefined ? address : parseAddress(text);
    return isUnixAddress(real) ? address : real;
  }

  #startFailed(error: unknown): unknown {
    if (!CirqueError.is(error)) return error;
    const { type, source, context, cause } = error;
    return new CirqueError(type, `service ${this.name} ${context}`, { source, cause });
  }
}

/** Threads know sockets by the addresses that were configured: two with the same one would be mixed up. */
function twice(text: string): CirqueError {
  const advice = 'with threads above 1 the addresses of a service must differ; give each a port of its own';
  return CirqueError.internal('BindError', `cannot receive on ${text} twice: ${advice}`);
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
