/**
 * Makes listening sockets. Each is a bare `net.Server`, so that every transport is handed over in the same way.
 *
 * A TCP address in use is tried again for a second, which bridges the end of a server that is just stopping.
 * (Pingora: thirty seconds.) Unix sockets are bind-unix.ts.
 */
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CirqueError } from '@cirque/error';
import { bindError, codeOfError } from './bind-error.ts';
import { bindUnix } from './bind-unix.ts';
import { type BoundListener, listen } from './bound-listener.ts';
import type { Endpoint, TcpEndpoint } from './endpoint.ts';

/** Waits before each further attempt at an address in use, in milliseconds: four attempts within a second. */
const RETRY_DELAYS_MS = [100, 300, 600] as const;

/** How binding may be told to stop, and how patient it is. */
export interface BindOptions {
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
export async function bind(endpoint: Endpoint, { signal, retry = true }: BindOptions = {}): Promise<BoundListener> {
  const delays: number[] = retry ? [...RETRY_DELAYS_MS] : [];
  for (;;) {
    try {
      return endpoint.kind === 'tcp' ? await bindTcp(endpoint) : await bindUnix(endpoint);
    } catch (error) {
      const delay = codeOfError(error) === 'EADDRINUSE' ? delays.shift() : undefined;
      if (delay === undefined || signal?.aborted === true) throw bindError(error, endpoint);
      await sleep(delay, undefined, signal === undefined ? {} : { signal }).catch(() => {});
    }
  }
}

/** True when the error of {@link bind} only says that somebody else listens there. */
export function isAddressInUse(error: CirqueError): boolean {
  return codeOfError(error.cause) === 'EADDRINUSE';
}

async function bindTcp({ address, backlog, ipv6Only }: TcpEndpoint): Promise<BoundListener> {
  const server = createServer({ allowHalfOpen: true });
  await listen(server, { host: address.host, port: address.port, backlog, ipv6Only });
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error('a TCP listener has no address');
  return { server, address: { host: bound.address, port: bound.port }, close: () => void server.close() };
}
