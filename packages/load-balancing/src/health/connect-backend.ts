/**
 * How checks reach a backend: in the clear, or with TLS exactly as a peer with the same options would.
 */
import type { Duplex } from 'node:stream';
import {
  type Alpn,
  HttpPeer,
  type PeerOptions,
  resolvePeerOptions,
  type TlsPeerOptions,
  TransportConnector,
} from '@cirque/pool';
import type { Address } from '@cirque/transport';
import type { TimeSource } from '../time-source.ts';
import { connectTcp } from './connect-tcp.ts';

/** TLS to the backend, in the words of `HttpPeer`. */
export interface TlsCheckOptions
  extends Pick<TlsPeerOptions, 'tls' | 'verifyCert' | 'verifyHostname' | 'alternativeCn' | 'ca' | 'clientCert'> {
  /** The name to send and to verify. Default: the host of the backend; for a check by HTTP, that of its `host`. */
  readonly sni?: string;
}

const TLS_OPTIONS = ['tls', 'sni', 'verifyCert', 'verifyHostname', 'alternativeCn', 'ca', 'clientCert'] as const;

/** What is spoken over the connection, where TLS agrees on it. Default HTTP/1.1. */
export type ConnectAlpn = Extract<Alpn, 'h1' | 'h2'>;

/** Opens connections, which are the caller's to destroy. */
export type ConnectBackend = (address: Address, timeoutMs: number, signal?: AbortSignal) => Promise<Duplex>;

/**
 * Reads the options.
 *
 * @throws TypeError naming the option, as `HttpPeer` does.
 */
export function backendConnect(options: TlsCheckOptions, time: TimeSource, alpn: ConnectAlpn = 'h1'): ConnectBackend {
  const tls: PeerOptions = Object.fromEntries(TLS_OPTIONS.map((name) => [name, options[name]]));
  if (!resolvePeerOptions(tls).tls) {
    return (address, timeoutMs, signal) => connectTcp(address, { timeoutMs, time, signal });
  }
  const transport = new TransportConnector({ wheel: time.wheel });
  return async (address, timeoutMs, signal) => {
    // Every check shall see the certificate, so no session is resumed.
    const peer = new HttpPeer(address, { ...tls, alpn, sessionResumption: false, connectionTimeoutMs: timeoutMs });
    return (await transport.newStream(peer, signal, timeoutMs)).duplex;
  };
}
