/**
 * Health check: does the backend say of itself that it is serving, by gRPC's health checking protocol?
 *
 * Source: grpc.health.v1.Health/Check of the "GRPC Health Checking Protocol". The call is grpc-call.ts, its messages
 * grpc-health-message.ts.
 */
import type { TLSSocket } from 'node:tls';
import { CirqueError, fromNodeError } from '@cirque/error';
import { formatAddress, isUnixAddress } from '@cirque/transport';
import type { Backend } from '../backend.ts';
import { boundedCall } from '../bounded-call.ts';
import { integerOption } from '../number-option.ts';
import { realTime, type TimeSource } from '../time-source.ts';
import { type CheckOptions, ThresholdCheck } from './check-options.ts';
import { backendConnect, type ConnectBackend, type TlsCheckOptions } from './connect-backend.ts';
import { callGrpc } from './grpc-call.ts';
import { decodeCheckResponse, encodeCheckRequest } from './grpc-health-message.ts';

/** Everything has a default. */
export interface GrpcHealthCheckOptions extends CheckOptions, TlsCheckOptions {
  /** The service to ask for. Default empty: the server as a whole. */
  readonly service?: string | undefined;
  /** The `:authority` of the call. Default `sni`, else the backend's address. */
  readonly authority?: string | undefined;
  /** Longest wait for the answer. Default 1,000. */
  readonly readTimeoutMs?: number | undefined;
  /** For tests: the clock and the timers. */
  readonly time?: TimeSource | undefined;
}

const PATH = '/grpc.health.v1.Health/Check';
const MAX_ANSWER_BYTES = 4_096;

/**
 * Asks the backend over a new HTTP/2 connection, with `tls: true` over TLS, else in the clear with prior knowledge. SERVING
 * is well; everything else is not, also a server that has no such service.
 * Throws RangeError or TypeError, naming the option, for values that cannot work.
 */
export class GrpcHealthCheck extends ThresholdCheck {
  readonly readTimeoutMs: number;
  readonly timeoutMs: number;
  readonly service: string;
  readonly #body: Buffer;
  readonly #tls: boolean;
  readonly #authority: string | undefined;
  readonly #time: TimeSource;
  readonly #connect: ConnectBackend;

  constructor(options: GrpcHealthCheckOptions = {}) {
    super(options);
    const { authority, service = '', sni, time = realTime } = options;
    if (typeof service !== 'string')
      throw new TypeError(`service must be a name, got a value of type ${typeof service}`);
    this.readTimeoutMs = integerOption('readTimeoutMs', options.readTimeoutMs, 1000, 1);
    // Connecting and the call end by themselves; this is the net below them.
    this.timeoutMs = this.connectionTimeoutMs + this.readTimeoutMs + 1000;
    this.service = service;
    this.#body = encodeCheckRequest(service);
    this.#tls = options.tls === true;
    this.#authority = authority === undefined ? sni : checkAuthority(authority);
    this.#time = time;
    this.#connect = backendConnect(options, time, 'h2');
  }

  /** Resolves when the answer is SERVING; rejects with UnexpectedResponse for another one, and with why there is none. */
  async check(backend: Backend, signal?: AbortSignal): Promise<void> {
    const connection = await this.#connect(backend, this.connectionTimeoutMs, signal);
    const where = formatAddress(backend);
    if (this.#tls && (connection as TLSSocket).alpnProtocol !== 'h2') {
      connection.destroy();
      throw CirqueError.upstream('H2Error', `${where} does not speak HTTP/2`);
    }
    const { readTimeoutMs: timeoutMs } = this;
    const call = { ...this.#callTo(backend), timeoutMs, body: this.#body, maxBytes: MAX_ANSWER_BYTES, path: PATH };
    try {
      const answer = await boundedCall((ended) => callGrpc(connection, call, ended), {
        timeoutMs,
        signal,
        wheel: this.#time.wheel,
        onTimeout: () => CirqueError.upstream('ReadTimedout', `no answer within ${timeoutMs} ms`),
      });
      this.#judge(answer);
    } catch (error) {
      throw fromNodeError(error, 'read', 'Upstream', where);
    }
  }

  #judge(answer: Buffer): void {
    const status = statusIn(answer);
    if (status === 'SERVING') return;
    const who = this.service === '' ? 'the server' : `the service ${this.service}`;
    throw CirqueError.upstream('UnexpectedResponse', `${who} is ${status}`);
  }

  #callTo(backend: Backend): { scheme: 'http' | 'https'; authority: string } {
    const own = isUnixAddress(backend) ? 'localhost' : backend.address;
    return { scheme: this.#tls ? 'https' : 'http', authority: this.#authority ?? own };
  }
}

function statusIn(answer: Buffer): string {
  try {
    return decodeCheckResponse(answer);
  } catch (cause) {
    throw CirqueError.upstream('UnexpectedResponse', 'the answer is no HealthCheckResponse', cause);
  }
}

function checkAuthority(authority: string): string {
  if (/^[A-Za-z0-9._~%[\]:-]+$/.test(authority)) return authority;
  throw new TypeError(`authority must be a host, or host:port, got ${JSON.stringify(authority)}`);
}
