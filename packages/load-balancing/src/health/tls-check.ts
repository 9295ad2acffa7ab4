/**
 * Health check: is there a TLS server with a certificate that is right, and stays so for a while? No data is sent.
 */
import { CirqueError } from '@cirque/error';
import { formatAddress } from '@cirque/transport';
import type { Backend } from '../backend.ts';
import { integerOption } from '../number-option.ts';
import { realTime, type TimeSource } from '../time-source.ts';
import { type CheckOptions, ThresholdCheck } from './check-options.ts';
import { type ConnectTls, type TlsCheckOptions, tlsConnect } from './connect-backend.ts';
import { sayGoodbye } from './say-goodbye.ts';

/** Everything has a default. */
export interface TlsHealthCheckOptions extends CheckOptions, Omit<TlsCheckOptions, 'tls'> {
  /**
   * The certificate must be valid for at least so long from now, also with `verifyCert: false`. Default 0: what
   * `verifyCert` says is enough.
   */
  readonly minValidityMs?: number | undefined;
  /** For tests: the clock and the timers. */
  readonly time?: TimeSource | undefined;
}

const DAY_MS = 86_400_000;

/**
 * Makes a TLS handshake with the backend and ends it in order. With `verifyCert: false` whoever speaks TLS is well.
 * Throws RangeError or TypeError, naming the option, for values that cannot work.
 */
export class TlsHealthCheck extends ThresholdCheck {
  readonly timeoutMs: number;
  readonly minValidityMs: number;
  readonly #connect: ConnectTls;
  readonly #time: TimeSource;

  constructor(options: TlsHealthCheckOptions = {}) {
    super(options);
    this.minValidityMs = integerOption('minValidityMs', options.minValidityMs, 0, 0);
    // As of TcpHealthCheck: handshake and goodbye end by themselves.
    this.timeoutMs = 2 * this.connectionTimeoutMs + 1000;
    this.#time = options.time ?? realTime;
    this.#connect = tlsConnect({ ...options, tls: true }, this.#time);
  }

  /** Resolves after the handshake; rejects with ConnectRefused, TLSHandshakeFailure, InvalidCert and the like. */
  async check(backend: Backend, signal?: AbortSignal): Promise<void> {
    const { connectionTimeoutMs: timeoutMs } = this;
    const { digest, duplex } = await this.#connect(backend, timeoutMs, signal);
    await sayGoodbye(duplex, { timeoutMs, wheel: this.#time.wheel, signal });
    if (this.minValidityMs > 0) this.#checkValidity(digest.ssl?.peerCertificate?.validTo, formatAddress(backend));
  }

  #checkValidity(validTo: Date | undefined, where: string): void {
    if (validTo === undefined) throw CirqueError.upstream('InvalidCert', `${where} shows no certificate`);
    if (validTo.getTime() - Date.now() >= this.minValidityMs) return;
    const days = (this.minValidityMs / DAY_MS).toFixed(1);
    const what = `the certificate of ${where} is valid until ${validTo.toISOString()}, not for another ${days} days`;
    throw CirqueError.upstream('InvalidCert', what);
  }
}
