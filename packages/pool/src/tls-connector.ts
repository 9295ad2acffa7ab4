/**
 * TLS on connections to peers: certificates to trust and to show, names to verify, sessions to resume, the key log.
 *
 * Turns peer options into what Node wants; the handshake itself is connect-tls.ts.
 */
import { readFileSync } from 'node:fs';
import { type ConnectionOptions, createSecureContext, type SecureContext } from 'node:tls';
import { CirqueError } from '@cirque/error';
import type { TimerWheel } from '@cirque/timeout';
import { formatAddress, type Stream } from '@cirque/transport';
import { shown } from './check-option.ts';
import { connectTls } from './connect-tls.ts';
import { KeyLog } from './key-log.ts';
import { LruMap } from './lru-map.ts';
import type { Peer } from './peer.ts';
import { readTrustStore, type TrustStore } from './pem.ts';
import { identityCheck, sentNameOf, serverNameOf } from './tls-identity.ts';
import type { Alpn, ResolvedTlsPeerOptions } from './tls-peer-options.ts';
import { TlsSessions } from './tls-sessions.ts';

/** Options of {@link TlsConnector}. */
export interface TlsConnectorOptions {
  /**
   * A file of certificates (PEM) that are trusted for peers without `ca`, in the place of Node's own list
   * (configuration `ca_file`). Read once. Default: Node's list and NODE_EXTRA_CA_CERTS.
   */
  readonly caFile?: string;
  /**
   * A file to which the secrets of all TLS connections are appended, to read captured traffic (configuration
   * `upstream_debug_ssl_keylog` with SSLKEYLOGFILE). Debugging only. Default: none.
   */
  readonly sslKeyLogFile?: string;
}

/** What a peer may look like at the most; each different combination of certificates and versions is one. */
const MAX_CONTEXTS = 100;

const OFFERED: { readonly [A in Alpn]: readonly string[] } = {
  h1: ['http/1.1'],
  h2: ['h2'],
  h2h1: ['h2', 'http/1.1'],
};

/** Encrypts streams; keeps sessions and contexts of earlier ones. */
export class TlsConnector {
  readonly #trusted: TrustStore | undefined;
  readonly #keyLog: KeyLog | undefined;
  readonly #wheel: TimerWheel | undefined;
  readonly #sessions = new TlsSessions();
  readonly #contexts = new LruMap<SecureContext>(MAX_CONTEXTS);

  /** @throws TypeError naming the option, when its file cannot be read or written or holds no certificate. */
  constructor(options: TlsConnectorOptions, wheel: TimerWheel | undefined) {
    const { caFile, sslKeyLogFile } = options;
    this.#trusted = caFile === undefined ? undefined : openFile('caFile', caFile, readCaFile);
    this.#keyLog =
      sslKeyLogFile === undefined ? undefined : openFile('sslKeyLogFile', sslKeyLogFile, (path) => new KeyLog(path));
    this.#wheel = wheel;
  }

  /**
   * Encrypts a new stream to a peer with `tls: true`, within `connectionTimeoutMs`.
   *
   * @throws CirqueError as connectTls; TLSConfigError, source Internal, when a certificate, a key, `ciphers` or `curves`
   * of the peer cannot be used. The raw stream is destroyed then.
   */
  async connect(raw: Stream, peer: Peer, signal: AbortSignal): Promise<Stream> {
    const { options, reuseKey } = peer;
    const what = `TLS handshake with ${describe(peer)}`;
    const sessions = options.sessionResumption ? this.#sessions : undefined;
    const known = sessions?.get(reuseKey);
    try {
      return await connectTls(raw, {
        options: this.#optionsOf(peer, what),
        resume: known,
        what,
        timeoutMs: options.connectionTimeoutMs,
        signal,
        wheel: this.#wheel,
        onSession: sessions && ((session, ssl) => sessions.put(reuseKey, session, ssl, known)),
        onKeyLog: this.#keyLog?.write,
      });
    } catch (error) {
      raw.destroy();
      // Should it be the session that the upstream does not like, the next attempt does without.
      if (known !== undefined) this.#sessions.forget(reuseKey);
      throw error;
    }
  }

  #optionsOf(peer: Peer, what: string): ConnectionOptions {
    const { address, options } = peer;
    const servername = sentNameOf(address, options);
    return {
      secureContext: this.#contextOf(options, what),
      // Said always: the environment (NODE_TLS_REJECT_UNAUTHORIZED) changes nothing.
      rejectUnauthorized: options.verifyCert,
      checkServerIdentity: identityCheck(address, options),
      ALPNProtocols: [...(options.alpnProtocols ?? OFFERED[options.alpn])],
      ...(servername === undefined ? {} : { servername }),
    };
  }

  #contextOf(options: ResolvedTlsPeerOptions, what: string): SecureContext {
    const { clientCert, minTlsVersion, maxTlsVersion, ciphers, curves } = options;
    const ca = options.ca ?? this.#trusted;
    // Certificates are digests here.
    const key = JSON.stringify([ca, clientCert, minTlsVersion, maxTlsVersion, ciphers, curves]);
    const known = this.#contexts.get(key);
    if (known !== undefined) return known;
    try {
      ca?.check();
      const context = createSecureContext({
        minVersion: minTlsVersion,
        maxVersion: maxTlsVersion,
        ...(ca === undefined ? {} : { ca: [...ca.certificates] }),
        ...clientCert?.credentials,
        ...(ciphers === undefined ? {} : { ciphers }),
        ...(curves === undefined ? {} : { ecdhCurve: curves }),
      });
      this.#contexts.set(key, context);
      return context;
    } catch (cause) {
      // Whatever Node calls it: what cannot be made into a context is wrong in our own settings.
      throw CirqueError.internal('TLSConfigError', what, cause);
    }
  }
}

/** `origin.example at 192.0.2.1:443`, once where both are the same. */
function describe({ address, options }: Peer): string {
  const where = formatAddress(address);
  const name = serverNameOf(address, options);
  return name === undefined || options.sni === undefined ? where : `${name} at ${where}`;
}

function readCaFile(path: string): TrustStore {
  const store = readTrustStore('its content', readFileSync(path));
  store.check();
  return store;
}

function openFile<T>(name: string, path: unknown, open: (path: string) => T): T {
  if (typeof path !== 'string' || path === '') throw new TypeError(`${name} is ${shown(path)}: expected a path`);
  try {
    return open(path);
  } catch (cause) {
    throw new TypeError(`${name} ${path} cannot be used: ${(cause as Error).message}`, { cause });
  }
}
