/**
 * Collects the endpoints of one service and binds them: all, or none.
 */
import { CirqueError } from '@cirque/error';
import { formatAddress, type InetAddress, type UnixAddress } from '@cirque/transport';
import type { EndpointCheck, SocketName } from '../service/service.ts';
import type { ServiceSockets } from '../sockets/service-sockets.ts';
import type { SocketRecord } from '../sockets/socket-record.ts';
import { closeDescriptor } from '../sockets/socket-table.ts';
import type { MovedServer } from '../workers/server-transfer.ts';
import { bind, isAddressInUse, probeAddress } from './bind.ts';
import { bindError } from './bind-error.ts';
import { probeUnix } from './bind-unix.ts';
import { type Endpoint, type TcpSocketOptions, tcpEndpoint, type UnixSocketOptions, unixEndpoint } from './endpoint.ts';
import type { TlsSettings } from './tls/tls-settings.ts';
import { type StackContext, TransportStack } from './transport-stack.ts';

/** The endpoints of one service. */
export class Listeners {
  readonly #endpoints: Endpoint[] = [];

  /** The configured addresses, in the order they were added. */
  get addresses(): readonly (InetAddress | UnixAddress)[] {
    return this.#endpoints.map((endpoint) => endpoint.address);
  }

  /** @throws TypeError or RangeError for a wrong address or option. */
  addTcp(address: string | InetAddress, options?: TcpSocketOptions): void {
    this.#endpoints.push(tcpEndpoint(address, options));
  }

  /** @throws TypeError or RangeError for a wrong path or option. */
  addUds(path: string, options?: UnixSocketOptions): void {
    this.#endpoints.push(unixEndpoint(path, options));
  }

  /** A TCP address, or a unix socket as `unix:/path`. @throws TypeError or RangeError for a wrong address or option. */
  addTls(address: string | InetAddress, settings: TlsSettings, options?: TcpSocketOptions | UnixSocketOptions): void {
    const isPath = typeof address === 'string' && (address.startsWith('unix:') || address.startsWith('/'));
    this.#endpoints.push(
      isPath ? unixEndpoint(address, options, settings) : tcpEndpoint(address, options as TcpSocketOptions, settings),
    );
  }

  /** The TLS settings of all endpoints, each once. */
  get tlsSettings(): readonly TlsSettings[] {
    return [...new Set(this.#endpoints.map(({ tls }) => tls).filter((tls) => tls !== undefined))];
  }

  /** The sockets that the endpoints need, by name. */
  get socketNames(): readonly SocketName[] {
    return this.#endpoints.map((endpoint) => nameOf(endpoint));
  }

  /**
   * Opens every endpoint; each serves from the moment it is open. When one fails, those before it stop listening. Those that are
   * taken over come last: when a new one fails, nothing was taken from the predecessor.
   *
   * @param first false for the further threads of a service: unix sockets, which cannot be bound twice, are theirs only where
   * there are descriptors to take over.
   * @throws CirqueError of type BindError, or TLSConfigError for certificates that cannot be used: then nothing listens.
   */
  async build(context: StackContext, sockets: ServiceSockets, first: boolean): Promise<readonly TransportStack[]> {
    for (const settings of this.tlsSettings) {
      for (const warning of await settings.load()) context.logger.warn(warning);
    }
    const stacks: TransportStack[] = [];
    try {
      for (const endpoint of this.#newOnesFirst(sockets)) {
        if (endpoint.kind === 'unix' && !first && !sockets.inherits(endpoint)) continue;
        for (const listener of await sockets.listen(endpoint))
          stacks.push(new TransportStack(endpoint, listener, context));
      }
      return stacks;
    } catch (error) {
      for (const stack of stacks) stack.stop();
      throw error;
    }
  }

  #newOnesFirst(sockets: ServiceSockets): readonly Endpoint[] {
    const inherited = this.#endpoints.filter((endpoint) => sockets.inherits(endpoint));
    return [...this.#endpoints.filter((endpoint) => !inherited.includes(endpoint)), ...inherited];
  }

  /** Serves on a socket that another thread has moved here; from this moment on. */
  receive(moved: MovedServer, context: StackContext, sockets: ServiceSockets): TransportStack {
    const endpoint = this.#endpoints.find((one) => isNamed(one, moved.record));
    if (endpoint !== undefined) return new TransportStack(endpoint, sockets.receive(moved), context);
    moved.server.close();
    throw new Error(`no endpoint has the address ${moved.record.address}`);
  }

  /**
   * Serves on sockets that were opened elsewhere for endpoints of ours; others are closed.
   *
   * @param owner the thread that has them.
   * @throws CirqueError of type BindError when one of them cannot be used: then none is open.
   */
  async adopt(
    owner: number,
    records: readonly SocketRecord[],
    context: StackContext,
    sockets: ServiceSockets,
  ): Promise<readonly TransportStack[]> {
    const waiting = [...records];
    const stacks: TransportStack[] = [];
    try {
      for (let record = waiting.shift(); record !== undefined; record = waiting.shift()) {
        const name = record;
        const endpoint = this.#endpoints.find((one) => isNamed(one, name));
        if (endpoint === undefined) closeDescriptor(record.fd);
        else stacks.push(new TransportStack(endpoint, await sockets.adopt(endpoint, record, owner), context));
      }
      return stacks;
    } catch (error) {
      for (const stack of stacks) stack.stop();
      for (const { fd } of waiting) closeDescriptor(fd);
      throw error;
    }
  }

  /**
   * Refuses addresses on which somebody else listens, which sockets that are shared between threads would not notice, and
   * answers the real addresses of those with port 0.
   *
   * @throws CirqueError of type BindError.
   */
  async resolve(isInherited: (name: SocketName) => boolean): Promise<Readonly<Record<string, string>>> {
    this.#refuseTwins();
    const resolved: Record<string, string> = {};
    for (const endpoint of this.#endpoints) {
      const { address } = nameOf(endpoint);
      if (endpoint.kind !== 'tcp' || isInherited(nameOf(endpoint))) continue;
      resolved[address] = formatAddress(await probeAddress(endpoint));
    }
    return resolved;
  }

  /** Threads know sockets by the addresses that were configured: two endpoints with the same one would be mixed up. */
  #refuseTwins(): void {
    const names = this.socketNames.map(({ address }) => address);
    const twin = names.find((address, index) => names.indexOf(address) !== index);
    if (twin === undefined) return;
    const advice =
      'with threads above 1 the endpoints of a service need different addresses; give each a port of its own';
    throw CirqueError.internal('BindError', `cannot listen on ${twin} twice: ${advice}`);
  }

  /** Tries every endpoint and leaves nothing behind. */
  async check(): Promise<readonly EndpointCheck[]> {
    const checks: EndpointCheck[] = [];
    for (const endpoint of this.#endpoints) checks.push(await checkEndpoint(endpoint));
    return checks;
  }
}

function nameOf({ kind, address }: Endpoint): SocketName {
  return { kind, address: formatAddress(address) };
}

function isNamed(endpoint: Endpoint, { kind, address }: SocketName): boolean {
  return endpoint.kind === kind && formatAddress(endpoint.address) === address;
}

async function checkEndpoint(endpoint: Endpoint): Promise<EndpointCheck> {
  const text = formatAddress(endpoint.address);
  try {
    await endpoint.tls?.load();
    await tryToBind(endpoint);
    return { endpoint: text, outcome: 'ok' };
  } catch (error) {
    if (!CirqueError.is(error)) throw error;
    return isAddressInUse(error)
      ? { endpoint: text, outcome: 'in use' }
      : { endpoint: text, outcome: 'failed', reason: reasonOf(error) };
  }
}

/** What OpenSSL or the system says of a certificate is in the cause. */
function reasonOf({ type, context, cause }: CirqueError): string {
  return type === 'TLSConfigError' && cause instanceof Error ? `${context} (${cause.message})` : context;
}

async function tryToBind(endpoint: Endpoint): Promise<void> {
  if (endpoint.kind === 'tcp') {
    const { server, close } = await bind(endpoint, { retry: false });
    server.on('connection', (socket) => socket.destroy());
    close();
    return;
  }
  await probeUnix(endpoint).catch((error: unknown) => {
    throw bindError(error, endpoint);
  });
}
