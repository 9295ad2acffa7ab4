/**
 * Makes a listener of a descriptor that was opened elsewhere: by a predecessor, another thread, the service manager.
 *
 * The system says of a wrong descriptor only EINVAL; this says whose it is and what it should have been.
 */
import { createServer, type Server } from 'node:net';
import { CirqueError } from '@cirque/error';
import { formatAddress } from '@cirque/transport';
import { addressOf } from '../listeners/bind.ts';
import { type BoundListener, listenOnDescriptor } from '../listeners/bound-listener.ts';
import type { Endpoint } from '../listeners/endpoint.ts';
import { SocketFile } from '../listeners/socket-file.ts';
import type { SocketRecord } from './socket-record.ts';

/**
 * Accepts on the descriptor of `record`, which must be a listening socket of the endpoint's kind. The backlog of the
 * endpoint is applied.
 *
 * @param ownsPath asked when a unix socket closes: true removes its path.
 * @throws CirqueError of type BindError that names the service, the address and the descriptor.
 */
export async function adoptListener(
  endpoint: Endpoint,
  record: SocketRecord,
  ownsPath: () => boolean,
): Promise<BoundListener> {
  const server = createServer({ allowHalfOpen: true });
  try {
    await listenOnDescriptor(server, record.fd, endpoint.backlog);
    checkSame(server, record);
  } catch (error) {
    if (server.listening) server.close();
    throw adoptionError(record, error);
  }
  if (endpoint.kind === 'tcp') return { server, record, address: addressOf(server), close: () => void server.close() };
  const { path } = endpoint.address;
  const file = new SocketFile(path);
  const close = (): void => {
    server.close();
    if (ownsPath()) file.removeFrom(path);
  };
  return { server, record, address: endpoint.address, close };
}

/** The error for a descriptor that cannot be used. */
export function adoptionError({ service, kind, address, fd }: SocketRecord, cause: unknown): CirqueError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return CirqueError.internal(
    'BindError',
    `service ${service}: descriptor ${fd}, taken over for ${address}, is not a usable ${kind} socket (${reason})`,
    cause,
  );
}

/** A number may have been closed and given to something else since the record was written. */
function checkSame(server: Server, { kind, bound }: SocketRecord): void {
  // Node.js does not tell the name of an adopted unix socket; it would be the temporary one that it was bound to.
  const isUnix = server.address() === null || typeof server.address() === 'string';
  if (isUnix && kind === 'unix') return;
  if (isUnix) throw new Error('it is a unix socket');
  const actual = formatAddress(addressOf(server));
  if (kind !== 'tcp' || actual !== bound) throw new Error(`it is a TCP socket, bound to ${actual}, not ${bound}`);
}
