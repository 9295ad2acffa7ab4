/**
 * What a host asks of the certificates of its clients, and the verdict on one.
 *
 * Node does the cryptography; whether a connection is refused is decided here, after the handshake, because each host
 * of a listener may ask for something else. In TLS 1.3 the client sees the handshake succeed, then the close.
 */
import { X509Certificate } from 'node:crypto';
import { CirqueError } from '@cirque/error';
import type { SslDigest } from '@cirque/transport';
import type { MaybePromise } from '../../app/server-app.ts';
import { isPem, readPem } from './certificate-source.ts';

/** What is asked of clients. */
export interface ClientCertificateOptions {
  /**
   * `off` (default): nothing. `request`: a certificate that is given appears in `digest.ssl`, trusted or not. `require`:
   * connections without a trusted one are closed. Where one host asks, the clients of all hosts are asked.
   */
  readonly clientCertificate?: 'off' | 'request' | 'require';
  /** The authorities to trust, PEM. Without them no certificate is trusted, and `require` needs `verifyClient`. */
  readonly clientCa?: string | Buffer | readonly (string | Buffer)[];
  /** The same from a file, read at the start and at every reload. */
  readonly clientCaFile?: string;
}

/** {@link ClientCertificateOptions} of one host, with the files read. */
export interface ClientPolicy {
  readonly mode: 'off' | 'request' | 'require';
  /** Empty: nobody is trusted. Never left out, as Node would then trust every public authority. */
  readonly ca: readonly (string | Buffer)[];
}

export type VerifyClient = (ssl: SslDigest, serverName: string | undefined) => MaybePromise<boolean>;

/**
 * Checks the options of one host.
 *
 * @throws TypeError naming the host, the option and what would be right.
 */
export function checkClientOptions(where: string, options: ClientCertificateOptions, hasVerifyClient: boolean): void {
  const { clientCertificate: mode = 'off', clientCa, clientCaFile } = options;
  if (mode !== 'off' && mode !== 'request' && mode !== 'require') {
    throw new TypeError(
      `clientCertificate of ${where} must be 'off', 'request' or 'require', got ${JSON.stringify(mode)}`,
    );
  }
  if (clientCa !== undefined && ![clientCa].flat().every(isPem)) {
    throw new TypeError(`clientCa of ${where} must be PEM text, or a list of it`);
  }
  if (clientCaFile !== undefined && (typeof clientCaFile !== 'string' || clientCaFile === '')) {
    throw new TypeError(`clientCaFile of ${where} must be a path, got ${JSON.stringify(clientCaFile)}`);
  }
  const hasCa = clientCa !== undefined || clientCaFile !== undefined;
  if (mode === 'require' && !hasCa && !hasVerifyClient) {
    throw new TypeError(`clientCertificate 'require' of ${where} needs clientCa, clientCaFile or verifyClient`);
  }
  if (mode === 'off' && hasCa) {
    throw new TypeError(
      `${where} has authorities for clients, but clientCertificate is 'off': request or require them`,
    );
  }
}

/** Reads what the options name. @throws CirqueError of type TLSConfigError. */
export async function loadClientPolicy(where: string, options: ClientCertificateOptions): Promise<ClientPolicy> {
  const { clientCertificate: mode = 'off', clientCa = [], clientCaFile } = options;
  const fromFile = clientCaFile === undefined ? [] : [await readPem(where, clientCaFile)];
  const ca = [...[clientCa].flat(), ...fromFile];
  for (const pem of ca) checkAuthorities(where, String(pem));
  return { mode, ca };
}

/** OpenSSL skips what it cannot read, and then trusts nobody. */
function checkAuthorities(where: string, pem: string): void {
  const blocks = pem.match(/-----BEGIN [^-]*CERTIFICATE-----[^-]*-----END [^-]*CERTIFICATE-----/g) ?? [];
  try {
    for (const block of blocks) new X509Certificate(block);
  } catch (error) {
    throw CirqueError.internal('TLSConfigError', `${where}: an authority for clients cannot be read`, error);
  }
  if (blocks.length === 0)
    throw CirqueError.internal('TLSConfigError', `${where}: the authorities for clients are no PEM`);
}

/**
 * Judges the certificate of a client.
 *
 * @throws CirqueError of type InvalidCert saying why the connection is refused; what `verify` throws.
 */
export async function judgeClient(
  ssl: SslDigest,
  policy: ClientPolicy,
  verify: VerifyClient | undefined,
): Promise<void> {
  if (policy.mode === 'off') return;
  const { peerCertificate, authorized, authorizationError } = ssl;
  if (peerCertificate === undefined) {
    if (policy.mode === 'require') throw refusal('the client gave no certificate');
    return;
  }
  const name = peerCertificate.subject.replaceAll('\n', ', ');
  // Without authorities the verdict is all verifyClient's.
  if (policy.mode === 'require' && !authorized && policy.ca.length > 0) {
    throw refusal(`the certificate of ${name} is not trusted: ${authorizationError ?? 'unknown reason'}`);
  }
  if (verify !== undefined && (await verify(ssl, ssl.serverName)) !== true) {
    throw refusal(`verifyClient refused the certificate of ${name}`);
  }
}

function refusal(reason: string): CirqueError {
  return CirqueError.downstream('InvalidCert', reason);
}
