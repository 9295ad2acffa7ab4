/**
 * Collects the endpoints of one service and binds them: all, or none.
 */
import { CirqueError } from '@cirque/error';
import { formatAddress, type InetAddress, type UnixAddress } from '@cirque/transport';
import type { EndpointCheck } from '../service/service.ts';
import { bind, isAddressInUse } from './bind.ts';
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

  /**
   * Binds every endpoint; each serves from the moment it is bound. When one fails, those before it are closed again.
   *
   * @throws CirqueError of type BindError, or TLSConfigError for certificates that cannot be used: then nothing is bound.
   */
  async build(context: StackContext): Promise<readonly TransportStack[]> {
    for (const settings of this.tlsSettings) {
      for (const warning of await settings.load()) context.logger.warn(warning);
    }
    const stacks: TransportStack[] = [];
    try {
      for (const endpoint of this.#endpoints) {
        stacks.push(new TransportStack(endpoint, await bind(endpoint, { signal: context.shutdown }), context));
      }
      return stacks;
    } catch (error) {
      for (const stack of stacks) stack.stop();
      context.open.destroyAll();
      throw error;
    }
  }

  /** Tries every endpoint and leaves nothing behind. */
  async check(): Promise<readonly EndpointCheck[]> {
    const checks: EndpointCheck[] = [];
    for (const endpoint of this.#endpoints) checks.push(await checkEndpoint(endpoint));
    return checks;
  }
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
