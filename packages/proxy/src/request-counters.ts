/**
 * What a proxy counts of its requests, and how that is shown.
 */
import type { ConnectorStats } from '@cirque/pool';

/** Counters since the start. */
export class ProxyCounters {
  /** Requests whose head was parsed. */
  requests = 0;
  /** Requests under way. */
  active = 0;
  /** Attempts beyond the first. */
  retries = 0;
  /** Requests that ended in `failToProxy`. */
  failures = 0;
  /** Heads that could not be parsed. */
  refused = 0;
  /** Payload bytes received of requests, */
  requestBytes = 0;
  /** and sent of responses. */
  responseBytes = 0;
  /** By the first digit of the status; first those that got none. */
  readonly #responses: number[] = [0, 0, 0, 0, 0, 0];

  /** @param status of the final response; 0: none was sent. */
  requestOver(status: number, requestBytes: number, responseBytes: number): void {
    this.active -= 1;
    this.requestBytes += requestBytes;
    this.responseBytes += responseBytes;
    const kind = Math.trunc(status / 100);
    // A phase may answer with any status of three digits.
    this.#responses[kind <= 5 ? kind : 5] = (this.#responses[kind <= 5 ? kind : 5] as number) + 1;
  }

  /** The counters as plain data, with those of the upstream connections. */
  snapshot(upstream: ConnectorStats): ProxyStats {
    const [none, ...answered] = this.#responses as [number, number, number, number, number, number];
    const [informational, successful, redirected, clientErrors, serverErrors] = answered;
    return {
      requests: this.requests,
      active: this.active,
      retries: this.retries,
      failures: this.failures,
      refused: this.refused,
      requestBytes: this.requestBytes,
      responseBytes: this.responseBytes,
      responses: {
        '1xx': informational,
        '2xx': successful,
        '3xx': redirected,
        '4xx': clientErrors,
        '5xx': serverErrors,
        none,
      },
      upstream,
    };
  }
}

/** Counters of a proxy and of its upstream connections: plain data. All but `active` since the start. */
export type ProxyStats = {
  /** Requests whose head was parsed, and those of them under way. */
  readonly requests: number;
  readonly active: number;
  /** Attempts beyond the first. */
  readonly retries: number;
  /** Requests that ended in `failToProxy`. */
  readonly failures: number;
  /** Heads that could not be parsed. */
  readonly refused: number;
  /** Payload bytes received of requests that are over, and sent of their responses; of tunnels both directions. */
  readonly requestBytes: number;
  readonly responseBytes: number;
  /** Requests that are over, by the status of the response; `1xx` are accepted upgrades, `none` got no response. */
  readonly responses: Readonly<Record<'1xx' | '2xx' | '3xx' | '4xx' | '5xx' | 'none', number>>;
  readonly upstream: ConnectorStats;
};
