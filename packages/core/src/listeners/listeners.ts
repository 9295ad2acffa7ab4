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

  /**
   * Binds every endpoint; each serves from the moment it is bound. When one fails, those before it are closed again.
   *
   * @throws CirqueError of type BindError.
   */
  async build(context: StackContext): Promise<readonly TransportStack[]> {
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
    await tryToBind(endpoint);
    return { endpoint: text, outcome: 'ok' };
  } catch (error) {
    if (!CirqueError.is(error)) throw error;
    return isAddressInUse(error)
      ? { endpoint: text, outcome: 'in use' }
      : { endpoint: text, outcome: 'failed', reason: error.context };
  }
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
