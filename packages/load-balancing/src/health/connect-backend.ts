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
import type { Address, Stream } from '@cirque/transport';
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

/** The same for TLS, with what the handshake has settled. */
export type ConnectTls = (address: Address, timeoutMs: number, signal?: AbortSignal) => Promise<Stream>;

/**
 * Reads the options.
 *
 * @throws TypeError naming the option, as `HttpPeer` does.
 */
export function backendConnect(options: TlsCheckOptions, time: TimeSource, alpn: ConnectAlpn = 'h1'): ConnectBackend {
  if (!resolvePeerOptions(peerOptions(options)).tls) {
    return (address, timeoutMs, signal) => connectTcp(address, { timeoutMs, time, signal });
  }
  const connect = tlsConnect(options, time, alpn);
  return async (...args) => (await connect(...args)).duplex;
}

/** As {@link backendConnect}, for options that have `tls: true`. */
export function tlsConnect(options: TlsCheckOptions, time: TimeSource, alpn: ConnectAlpn = 'h1'): ConnectTls {
  const tls = peerOptions(options);
  resolvePeerOptions(tls);
  const transport = new TransportConnector({ wheel: time.wheel });
  return (address, timeoutMs, signal) => {
    // Every check shall see the certificate, so no session is resumed.
    const peer = new HttpPeer(address, { ...tls, alpn, sessionResumption: false, connectionTimeoutMs: timeoutMs });
    return transport.newStream(peer, signal, timeoutMs);
  };
}

function peerOptions(options: TlsCheckOptions): PeerOptions {
  return Object.fromEntries(TLS_OPTIONS.map((name) => [name, options[name]]));
}
