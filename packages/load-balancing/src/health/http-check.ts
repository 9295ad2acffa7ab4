/**
 * Health check: does the backend answer an HTTP/1.1 request as it should?
 *
 * Decides what is sent and which answers are good; the exchange itself is http-probe.ts.
 */
import { CirqueError } from '@cirque/error';
import { type Address, isUnixAddress } from '@cirque/transport';
import type { Backend } from '../backend.ts';
import { realTime, type TimeSource } from '../time-source.ts';
import { type CheckOptions, positiveInteger } from './check-options.ts';
import { backendConnect, type ConnectBackend, type TlsCheckOptions } from './connect-backend.ts';
import type { HealthCheck } from './health-check.ts';
import { type HttpCheckResponse, HttpProbe, type ProbeRequest } from './http-probe.ts';

/** Everything but `host` has a default. */
export interface HttpHealthCheckOptions extends CheckOptions, TlsCheckOptions {
  /** Value of the Host field, and the name to verify with `tls`. Connections go to the backend's address. */
  readonly host: string;
  /** Default `GET`. */
  readonly method?: string | undefined;
  /** Target of the request, beginning with a slash. Default `/`. */
  readonly path?: string | undefined;
  /** Further fields of the request. Default none. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Status codes that count as healthy. Default 200, or any if there is a `validator`. */
  readonly expectedStatus?: number | readonly number[] | undefined;
  /** Says whether an answer with an expected status is good. Throwing counts as no, with what was thrown as the reason. */
  readonly validator?: ((response: HttpCheckResponse) => boolean | Promise<boolean>) | undefined;
  /** Longest wait for the head of the answer, and then for each further piece of the body. Default 1,000. */
  readonly readTimeoutMs?: number | undefined;
  /** Keeps the connection for the next check. Default false: a new one each time, so that connecting is checked too. */
  readonly reuseConnection?: boolean | undefined;
  /** Port to check instead of the backend's own. Backends behind a unix-domain socket have none, so it says nothing to them. */
  readonly portOverride?: number | undefined;
  /** Time for one whole check, a slow body included. Default `connectionTimeoutMs` + 5 times `readTimeoutMs`. */
  readonly timeoutMs?: number | undefined;
  /** For tests: the clock and the timers. */
  readonly time?: TimeSource | undefined;
}

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/**
 * Sends a request and looks at the status of the answer, whose body is read to its end. Fails when connecting, the
 * head, a piece of the body or the whole takes too long, and for statuses that were not expected.
 * Throws TypeError or RangeError, naming the option, for values that cannot work.
 */
export class HttpHealthCheck implements HealthCheck {
  readonly consecutiveSuccess: number;
  readonly consecutiveFailure: number;
  readonly connectionTimeoutMs: number;
  readonly readTimeoutMs: number;
  readonly timeoutMs: number;
  readonly healthStatusChange?: (backend: Backend, healthy: boolean) => void | Promise<void>;
  readonly summary?: (backend: Backend) => string;
  readonly #request: ProbeRequest;
  readonly #expected: ReadonlySet<number> | undefined;
  readonly #validator: HttpHealthCheckOptions['validator'];
  readonly #portOverride: number | undefined;
  readonly #time: TimeSource;
  readonly #connect: ConnectBackend;
  /** Idle connections by address; always empty without `reuseConnection`. */
  readonly #idle = new Map<string, HttpProbe>();

  constructor(options: HttpHealthCheckOptions) {
    this.consecutiveSuccess = positiveInteger('consecutiveSuccess', options.consecutiveSuccess, 1);
    this.consecutiveFailure = positiveInteger('consecutiveFailure', options.consecutiveFailure, 1);
    this.connectionTimeoutMs = positiveInteger('connectionTimeoutMs', options.connectionTimeoutMs, 1000);
    this.readTimeoutMs = positiveInteger('readTimeoutMs', options.readTimeoutMs, 1000);
    const fallback = this.connectionTimeoutMs + 5 * this.readTimeoutMs;
    this.timeoutMs = positiveInteger('timeoutMs', options.timeoutMs, fallback);
    if (options.healthStatusChange !== undefined) this.healthStatusChange = options.healthStatusChange;
    if (options.summary !== undefined) this.summary = options.summary;
    this.#request = readRequest(options);
    this.#expected = readExpected(options);
    this.#validator = options.validator;
    this.#portOverride = readPort(options.portOverride);
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

  /** The option for this kind of result. */
  healthThreshold(success: boolean): number {
    return success ? this.consecutiveSuccess : this.consecutiveFailure;
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
      await probe.send(this.#request, signal, (response) => this.#judge(response));
      reusable = !this.#request.last;
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

  async #judge(response: HttpCheckResponse): Promise<void> {
    const { statusCode } = response;
    if (this.#expected !== undefined && !this.#expected.has(statusCode)) {
      const expected = [...this.#expected].join(' or ');
      throw CirqueError.upstream('UnexpectedStatus', `expected status ${expected}, got ${statusCode}`);
    }
    if (this.#validator === undefined || (await this.#validator(response))) return;
    throw CirqueError.upstream('UnexpectedResponse', `the validator refused a response with status ${statusCode}`);
  }
}

function readRequest(options: HttpHealthCheckOptions): ProbeRequest {
  const { headers = {}, host, method = 'GET', path = '/' } = options;
  if (typeof host !== 'string' || host === '')
    throw new TypeError(`host must be the value of the Host field, got ${String(host)}`);
  if (!TOKEN.test(method) || method === 'CONNECT') {
    throw new TypeError(`method must be an HTTP method other than CONNECT, got ${JSON.stringify(method)}`);
  }
  if (!/^\/[\x21-\x7e]*$/.test(path)) {
    throw new TypeError(
      `path must begin with a slash and have no spaces or control characters, got ${JSON.stringify(path)}`,
    );
  }
  for (const [name, value] of Object.entries({ ...headers, Host: host })) checkField(name, value);
  if (Object.keys(headers).some((name) => name.toLowerCase() === 'host')) {
    throw new TypeError('headers must not have a Host field: use the option host');
  }
  return { method, path, headers: { Host: host, ...headers }, last: options.reuseConnection !== true };
}

/** With TLS the backend is to be who the request is for. */
function withServerName(options: HttpHealthCheckOptions): TlsCheckOptions {
  if (options.tls !== true || options.sni !== undefined) return options;
  return { ...options, sni: options.host.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1') };
}

function checkField(name: string, value: string): void {
  if (TOKEN.test(name) && /^[\x20-\x7e\t\x80-\xff]*$/.test(value)) return;
  throw new TypeError(`headers: ${JSON.stringify(name)}: ${JSON.stringify(value)} is not a valid header field`);
}

function readExpected(options: HttpHealthCheckOptions): ReadonlySet<number> | undefined {
  const { expectedStatus, validator } = options;
  if (expectedStatus === undefined) return validator === undefined ? new Set([200]) : undefined;
  const statuses = typeof expectedStatus === 'number' ? [expectedStatus] : expectedStatus;
  const areValid =
    statuses.length > 0 && statuses.every((code) => Number.isInteger(code) && code >= 200 && code <= 599);
  if (!areValid)
    throw new RangeError(`expectedStatus must be one or more integers from 200 to 599, got ${String(expectedStatus)}`);
  return new Set(statuses);
}

function readPort(port: number | undefined): number | undefined {
  if (port === undefined || (Number.isInteger(port) && port >= 1 && port <= 65_535)) return port;
  throw new RangeError(`portOverride must be an integer from 1 to 65535, got ${String(port)}`);
}
