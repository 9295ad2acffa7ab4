/**
 * The active check of a group, from what the file says. Over TLS it trusts whom the connections of the group trust.
 */
import {
  type Backend,
  GrpcHealthCheck,
  type HealthCheck,
  HttpHealthCheck,
  TcpHealthCheck,
  type TlsCheckOptions,
  TlsHealthCheck,
} from '@cirque/load-balancing';
import type { HealthConfig } from '../config/gateway-config.ts';

type HttpConfig = Extract<HealthConfig, { kind: 'http' }>;

/**
 * @param tls how the group itself speaks TLS; empty where it does not.
 * @throws TypeError or RangeError for values that cannot work.
 */
export function healthCheckOf(config: HealthConfig, tls: TlsCheckOptions): HealthCheck {
  const common = commonOptions(config);
  switch (config.kind) {
    case 'tcp':
      return new TcpHealthCheck(common);
    case 'tls': {
      const { tls: _, sni, verifyCert: __, ...trust } = tls;
      const name = config.sni ?? sni;
      return new TlsHealthCheck({
        ...common,
        ...trust,
        verifyCert: config.verify,
        ...(name === undefined ? {} : { sni: name }),
      });
    }
    case 'http':
      return httpCheckOf(config, config.tls ? { ...tls, tls: true } : {});
    case 'grpc':
      return new GrpcHealthCheck({
        ...common,
        ...(config.tls ? { ...tls, tls: true } : {}),
        readTimeoutMs: config.timeoutMs,
        service: config.service,
      });
  }
}

interface CommonOptions {
  readonly connectionTimeoutMs: number;
  readonly consecutiveFailure: number;
  readonly consecutiveSuccess: number;
}

function commonOptions({ healthyAfter, timeoutMs, unhealthyAfter }: HealthConfig): CommonOptions {
  return { connectionTimeoutMs: timeoutMs, consecutiveFailure: unhealthyAfter, consecutiveSuccess: healthyAfter };
}

function httpCheckOf(config: HttpConfig, tls: TlsCheckOptions): HealthCheck {
  const { body, host, method, path, statuses, timeoutMs } = config;
  const make = (name: string): HttpHealthCheck =>
    new HttpHealthCheck({
      ...commonOptions(config),
      ...tls,
      host: name,
      method,
      path,
      expectedStatus: statuses,
      readTimeoutMs: timeoutMs,
      timeoutMs,
      ...(body === undefined ? {} : { expectedBody: body }),
    });
  return host === undefined ? new OwnHostCheck(make) : make(host);
}

/** Asks every server by its own address as Host. */
class OwnHostCheck implements HealthCheck {
  readonly timeoutMs: number;
  readonly #make: (host: string) => HttpHealthCheck;
  readonly #checks = new Map<string, HttpHealthCheck>();
  /** Has the thresholds of all; making it shows what cannot work. */
  readonly #pattern: HttpHealthCheck;

  constructor(make: (host: string) => HttpHealthCheck) {
    this.#make = make;
    this.#pattern = make('localhost');
    this.timeoutMs = this.#pattern.timeoutMs;
  }

  check(backend: Backend, signal: AbortSignal): Promise<void> {
    let check = this.#checks.get(backend.address);
    if (check === undefined) {
      check = this.#make('port' in backend ? backend.address : 'localhost');
      this.#checks.set(backend.address, check);
    }
    return check.check(backend, signal);
  }

  healthThreshold(success: boolean): number {
    return this.#pattern.healthThreshold(success);
  }

  forget(backend: Backend): void {
    this.#checks.delete(backend.address);
  }
}
