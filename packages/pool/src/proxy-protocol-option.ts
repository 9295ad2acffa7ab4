/**
 * The peer option `proxyProtocol`: what is told the upstream of our client, before anything else is sent.
 *
 * The header is settled when the peer is made, and part of its reuse key: a connection that was opened in the name of
 * one client never serves another. The format is transport's.
 */
import {
  type Digest,
  encodeProxyHeader,
  type InetAddress,
  type ProxyHeaderInit,
  type SocketDigest,
} from '@cirque/transport';
import { readFields } from './check-option.ts';

/**
 * The header as latin1 text.
 *
 * @throws TypeError or RangeError naming the option and what cannot be written.
 */
export function readProxyProtocol(name: string, value: unknown): string {
  const header = readFields(name, value, ['version', 'command', 'source', 'destination', 'tlvs']);
  try {
    return encodeProxyHeader(header as unknown as ProxyHeaderInit).toString('latin1');
  } catch (cause) {
    const { message } = cause as Error;
    throw cause instanceof RangeError
      ? new RangeError(`${name}: ${message}`, { cause })
      : new TypeError(`${name}: ${message}`, { cause });
  }
}

/**
 * What to tell an upstream of a client: the two ends of the client's connection, as the digest has them (a PROXY header
 * that came in counts). Where there are no addresses, as on unix sockets, it says that they are unknown.
 *
 * @param version 2 is binary and the default, 1 is text.
 * @example new HttpPeer(backend, { proxyProtocol: proxyProtocolOf(session.digest) })
 */
export function proxyProtocolOf(digest: Pick<Digest, 'socket'>, version: 1 | 2 = 2): ProxyHeaderInit {
  const { remoteAddress, remotePort, localAddress, localPort }: SocketDigest = digest.socket;
  const source = addressOf(remoteAddress, remotePort);
  const destination = addressOf(localAddress, localPort);
  return source === undefined || destination === undefined ? { version } : { version, source, destination };
}

function addressOf(host: string | undefined, port: number | undefined): InetAddress | undefined {
  return host === undefined || port === undefined ? undefined : { host, port };
}
