/**
 * Health check: is there a TLS server with a certificate that is right, and stays so for a while? No data is sent.
 */
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { CirqueError } from '@cirque/error';
import { formatAddress } from '@cirque/transport';
import type { Backend } from '../backend.ts';
import { integerOption } from '../number-option.ts';
import { realTime, type TimeSource } from '../time-source.ts';
import { type CheckOptions, ThresholdCheck } from './check-options.ts';
import { backendConnect, type ConnectBackend, type TlsCheckOptions } from './connect-backend.ts';
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
  readonly #connect: ConnectBackend;
  readonly #time: TimeSource;

  constructor(options: TlsHealthCheckOptions = {}) {
    super(options);
    this.minValidityMs = integerOption('minValidityMs', options.minValidityMs, 0, 0);
    // As of TcpHealthCheck: handshake and goodbye end by themselves.
    this.timeoutMs = 2 * this.connectionTimeoutMs + 1000;
    this.#time = options.time ?? realTime;
    this.#connect = backendConnect({ ...options, tls: true }, this.#time);
  }

  /** Resolves after the handshake; rejects with ConnectRefused, TLSHandshakeFailure, InvalidCert and the like. */
  async check(backend: Backend, signal?: AbortSignal): Promise<void> {
    const { connectionTimeoutMs: timeoutMs } = this;
    const connection = await this.#connect(backend, timeoutMs, signal);
    // Read before the end, after which Node knows it no more.
    const validUntil = this.minValidityMs === 0 ? undefined : endOfValidity(connection);
    await sayGoodbye(connection, { timeoutMs, wheel: this.#time.wheel, signal });
    if (validUntil !== undefined && validUntil - Date.now() < this.minValidityMs) {
      const days = (this.minValidityMs / DAY_MS).toFixed(1);
      const until = new Date(validUntil).toISOString();
      throw CirqueError.upstream(
        'InvalidCert',
        `the certificate of ${formatAddress(backend)} is valid until ${until}, not for another ${days} days`,
      );
    }
  }
}

/** In milliseconds since the epoch; long ago, where a server shows no certificate at all. */
function endOfValidity(connection: Duplex): number {
  return (connection as TLSSocket).getPeerX509Certificate()?.validToDate.getTime() ?? 0;
}
