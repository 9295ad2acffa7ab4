/**
 * Health check: does the backend answer an HTTP/1.1 request as it should?
 *
 * Decides on which connection, and keeps it. What is sent: http-check-request.ts; which answers are good: http-expectation.ts;
 * the exchange itself: http-probe.ts.
 */
import { CirqueError } from '@cirque/error';
import { type Address, isUnixAddress } from '@cirque/transport';
import type { Backend } from '../backend.ts';
import { integerOption } from '../number-option.ts';
import { realTime, type TimeSource } from '../time-source.ts';
import { type CheckOptions, ThresholdCheck } from './check-options.ts';
import { backendConnect, type ConnectBackend, type TlsCheckOptions } from './connect-backend.ts';
import { type HttpRequestOptions, readHttpRequest } from './http-check-request.ts';
import { HttpExpectation, type HttpExpectationOptions } from './http-expectation.ts';
import { HttpProbe, type ProbeRequest } from './http-probe.ts';

/** Everything but `host` has a default. */
export interface HttpHealthCheckOptions
  extends CheckOptions,
    TlsCheckOptions,
    HttpRequestOptions,
    HttpExpectationOptions {
  /** Longest wait for the head of the answer, and then for each further piece of the body. Default 1,000. */
  readonly readTimeoutMs?: number | undefined;
  /** Port to check instead of the backend's own. Backends behind a unix-domain socket have none, so it says nothing to them. */
  readonly portOverride?: number | undefined;
  /** Time for one whole check, a slow body included. Default `connectionTimeoutMs` + 5 times `readTimeoutMs`. */
  readonly timeoutMs?: number | undefined;
  /** For tests: the clock and the timers. */
  readonly time?: TimeSource | undefined;
}

/**
 * Sends a request and looks at the answer: its status, its body if told so, which is read to its end. Fails when connecting,
 * the head, a piece of the body or the whole takes too long, and for answers that were not expected.
 * Throws TypeError or RangeError, naming the option, for values that cannot work.
 */
export class HttpHealthCheck extends ThresholdCheck {
  readonly readTimeoutMs: number;
  readonly timeoutMs: number;
  readonly #request: ProbeRequest;
  readonly #expectation: HttpExpectation;
  readonly #portOverride: number | undefined;
  readonly #time: TimeSource;
  readonly #connect: ConnectBackend;
  /** Idle connections by address; always empty without `reuseConnection`. */
  readonly #idle = new Map<string, HttpProbe>();

  constructor(options: HttpHealthCheckOptions) {
    super(options);
    this.readTimeoutMs = integerOption('readTimeoutMs', options.readTimeoutMs, 1000, 1);
    const fallback = this.connectionTimeoutMs + 5 * this.readTimeoutMs;
    this.timeoutMs = integerOption('timeoutMs', options.timeoutMs, fallback, 1);
    this.#request = readHttpRequest(options);
    this.#expectation = new HttpExpectation(options);
    if (options.expectedBody !== undefined && this.#request.method === 'HEAD') {
      throw new TypeError('expectedBody cannot be met by method HEAD, whose answers have no body');
    }
    this.#portOverride =
      options.portOverride === undefined
        ? undefined
        : integerOption('portOverride', options.portOverride, 0, 1, 65_535);
    this.#time = options.time ?? realTime;
    this.#connect = backendConnect(withServerName(options), this.#time);
  }

  /** Resolves when the answer is good; rejects with the reason when it is not, or when there is none. */
  async check(backend: Backend, signal: AbortSignal = new AbortController().signal): Promise<void> {
    const idle = this.#idle.get(backend.address);
    this.#idle.delete(backend.address);
    if (idle !== undefined && (await this.#succeedsOn(idle, backend, signal))) return;
    await this.#checkOn(this.#openProbe(backend), backend, signal);
  }

  /** Closes the connection kept for the backend. */
  forget(backend: Backend): void {
    void this.#idle.get(backend.address)?.destroy();
    this.#idle.delete(backend.address);
  }

  /** Closes all connections kept. */
  async release(): Promise<void> {
    const probes = [...this.#idle.values()];
    this.#idle.clear();
    await Promise.all(probes.map((probe) => probe.destroy()));
  }

  /** False when the kept connection turns out to be closed, which says nothing about the backend. Rejects if it is ill. */
  async #succeedsOn(probe: HttpProbe, backend: Backend, signal: AbortSignal): Promise<boolean> {
    try {
      await this.#checkOn(probe, backend, signal);
      return true;
    } catch (error) {
      if (!probe.wasStale || signal.aborted || (CirqueError.is(error) && error.type === 'ReadTimedout')) throw error;
      return false;
    }
  }

  async #checkOn(probe: HttpProbe, backend: Backend, signal: AbortSignal): Promise<void> {
    let reusable = false;
    try {
      const complete = await probe.send(this.#request, signal, (response, body) =>
        this.#expectation.judge(response, body),
      );
      reusable = complete && !this.#request.last;
    } finally {
      // A second check of this backend may have come in between, with a connection of its own: one is kept.
      if (reusable && !this.#idle.has(backend.address)) this.#idle.set(backend.address, probe);
      else await probe.destroy();
    }
  }

  #openProbe(backend: Backend): HttpProbe {
    const { connectionTimeoutMs, readTimeoutMs } = this;
    const [address, connect, time] = [this.#addressOf(backend), this.#connect, this.#time];
    return new HttpProbe({ address, connect, connectionTimeoutMs, readTimeoutMs, time });
  }

  #addressOf(backend: Backend): Address {
    if (this.#portOverride === undefined || isUnixAddress(backend)) return backend;
    return { host: backend.host, port: this.#portOverride };
  }
}

/** With TLS the backend is to be who the request is for. */
function withServerName(options: HttpHealthCheckOptions): TlsCheckOptions {
  if (options.tls !== true || options.sni !== undefined) return options;
  return { ...options, sni: options.host.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1') };
}
