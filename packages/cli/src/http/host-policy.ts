/**
 * The Host that a server is sent, and the name that goes with it in a TLS handshake.
 */
import type { Backend } from '@cirque/load-balancing';
import type { Session } from '@cirque/proxy';
import { isUnixAddress } from '@cirque/transport';
import { hostName, hostOf } from '../upstreams/selection-key.ts';

/** See the file's head. */
export interface HostPolicy {
  /** The name for TLS where neither the file nor the server has one; undefined: none. */
  serverName(session: Session): string | undefined;
  /** The Host to send; undefined: the client's stays. */
  readonly host: ((backend: Backend) => string) | undefined;
}

/** @param tls the servers are spoken to by TLS. */
export function hostPolicyOf(host: string, tls: boolean): HostPolicy {
  if (host === 'keep') return { serverName: ({ requestHeader }) => hostOf(requestHeader.headers), host: undefined };
  if (host === 'upstream') {
    const ending = tls ? ':443' : ':80';
    return { serverName: () => undefined, host: (backend) => hostOfBackend(backend, ending) };
  }
  const name = hostName(host);
  return { serverName: () => name, host: () => host };
}

/** Without the port where it is the default one (RFC 9110 section 4.2.3). */
function hostOfBackend(backend: Backend, defaultPort: string): string {
  if (isUnixAddress(backend)) return 'localhost';
  const { address } = backend;
  return address.endsWith(defaultPort) ? address.slice(0, -defaultPort.length) : address;
}
