/**
 * Health check: can a connection be opened, with TLS if asked? It is closed at once, and no data is sent.
 */
import type { TimerWheel } from '@cirque/timeout';
import type { Backend } from '../backend.ts';
import { realTime, type TimeSource } from '../time-source.ts';
import { type CheckOptions, ThresholdCheck } from './check-options.ts';
import { backendConnect, type ConnectBackend, type TlsCheckOptions } from './connect-backend.ts';
import { sayGoodbye } from './say-goodbye.ts';

/** Everything has a default. */
export interface TcpHealthCheckOptions extends CheckOptions, TlsCheckOptions {
  /** For tests: the clock and the timers. */
  readonly time?: TimeSource | undefined;
}

/**
 * Opens a connection to the backend; unix-domain sockets included. With `tls: true` the handshake has to succeed, and the
 * certificate to be right. Pingora's defaults: one result decides, and the connection must be there within a second.
 * Throws RangeError for a number that is not an integer from 1, TypeError for wrong options of TLS.
 */
export class TcpHealthCheck extends ThresholdCheck {
  readonly timeoutMs: number;
  readonly #connect: ConnectBackend;
  readonly #goodbye: boolean;
  readonly #wheel: TimerWheel;

  constructor(options: TcpHealthCheckOptions = {}) {
    super(options);
    // The connection attempt ends by itself, and so does its goodbye; this is the net below them.
    this.timeoutMs = this.connectionTimeoutMs * (options.tls === true ? 2 : 1) + 1000;
    const time = options.time ?? realTime;
    this.#connect = backendConnect(options, time);
    this.#goodbye = options.tls === true;
    this.#wheel = time.wheel;
  }

  /** Resolves once connected; rejects with ConnectRefused, ConnectTimedout, InvalidCert and the like. */
  async check(backend: Backend, signal?: AbortSignal): Promise<void> {
    const { connectionTimeoutMs: timeoutMs } = this;
    const connection = await this.#connect(backend, timeoutMs, signal);
    if (this.#goodbye) await sayGoodbye(connection, { timeoutMs, wheel: this.#wheel, signal });
    else connection.destroy();
  }
}
