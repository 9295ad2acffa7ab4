/**
 * Makes listening sockets. Each is a bare `net.Server`, so that every transport is handed over in the same way.
 *
 * A TCP address in use is tried again for a second, which bridges the end of a server that is just stopping.
 * (Pingora: thirty seconds.) Unix sockets are bind-unix.ts.
 */
import { createServer, type Server } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CirqueError } from '@cirque/error';
import { descriptorOf } from '@cirque/sys';
import type { Address, InetAddress } from '@cirque/transport';
import { socketRecord } from '../sockets/socket-record.ts';
import { bindError, codeOfError } from './bind-error.ts';
import { bindUnix, probeUnix } from './bind-unix.ts';
import { type BoundListener, type ListenerPlace, listen } from './bound-listener.ts';
import type { Endpoint, TcpEndpoint } from './endpoint.ts';

/** Waits before each further attempt at an address in use, in milliseconds: four attempts within a second. */
const RETRY_DELAYS_MS = [100, 300, 600] as const;

/** How binding may be told to stop, and how patient it is. */
export interface BindOptions extends ListenerPlace {
  /** Ends the waiting between attempts. */
  readonly signal?: AbortSignal;
  /** False: a single attempt. Default true. */
  readonly retry?: boolean;
}

/**
 * Binds an endpoint.
 *
 * @throws CirqueError of type BindError that names the address and a remedy.
 */
export async function bind(endpoint: Endpoint, options: BindOptions = {}): Promise<BoundListener> {
  return patiently(endpoint, options, () =>
    endpoint.kind === 'tcp' ? bindTcp(endpoint, options) : bindUnix(endpoint, options),
  );
}

/**
 * Tries whether an address is free, before several threads share it: with `reusePort` each of two servers that are
 * started by accident would get a part of the connections. Leaves nothing behind.
 *
 * @returns the real address, with the port that the system chose for port 0.
 * @throws CirqueError as {@link bind} does.
 */
export async function probeAddress(endpoint: Endpoint, options: BindOptions = {}): Promise<Address> {
  return patiently(endpoint, options, async () => {
    if (endpoint.kind === 'unix') {
      await probeUnix(endpoint);
      return endpoint.address;
    }
    const { server, address, close } = await bindTcp(endpoint, { reusePort: false });
    server.on('connection', (socket) => socket.destroy());
    close();
    return address;
  });
}

/** Repeats what fails because the address is in use. */
async function patiently<T>(endpoint: Endpoint, options: BindOptions, attempt: () => Promise<T>): Promise<T> {
  const { signal, retry = true, reusePort = false } = options;
  const delays: number[] = retry ? [...RETRY_DELAYS_MS] : [];
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      const delay = codeOfError(error) === 'EADDRINUSE' ? delays.shift() : undefined;
      if (delay === undefined || signal?.aborted === true) throw bindError(error, endpoint, { reusePort });
      await sleep(delay, undefined, signal === undefined ? {} : { signal }).catch(() => {});
    }
  }
}

/** True when the error of {@link bind} only says that somebody else listens there. */
export function isAddressInUse(error: CirqueError): boolean {
  return codeOfError(error.cause) === 'EADDRINUSE';
}

async function bindTcp(endpoint: TcpEndpoint, place: ListenerPlace): Promise<BoundListener> {
  const { address: configured, backlog, ipv6Only } = endpoint;
  const { service = '', resolved = configured } = place;
  const reusePort = place.reusePort === true || endpoint.reusePort;
  const server = createServer({ allowHalfOpen: true });
  await listen(server, { host: resolved.host, port: resolved.port, backlog, ipv6Only, reusePort });
  const address = addressOf(server);
  const record = socketRecord(service, 'tcp', { configured, bound: address }, descriptorOf(server) ?? -1);
  return { server, address, record, close: () => void server.close() };
}

/** The real address of a TCP listener. */
export function addressOf(server: Server): InetAddress {
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error('a TCP listener has no address');
  return { host: bound.address, port: bound.port };
}
