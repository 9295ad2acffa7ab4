/**
 * What a health check by HTTP sends.
 */
import type { ProbeRequest } from './http-probe.ts';

/** Everything but `host` has a default. */
export interface HttpRequestOptions {
  /** Value of the Host field, and the name to verify with `tls`. Connections go to the backend's address. */
  readonly host: string;
  /** Default `GET`. */
  readonly method?: string | undefined;
  /** Target of the request, beginning with a slash. Default `/`. */
  readonly path?: string | undefined;
  /** Further fields of the request. Default none. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Keeps the connection for the next check. Default false: a new one each time, so that connecting is checked too. */
  readonly reuseConnection?: boolean | undefined;
}

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** Throws TypeError naming the option. */
export function readHttpRequest(options: HttpRequestOptions): ProbeRequest {
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
  checkFields({ ...headers, Host: host });
  if (Object.keys(headers).some((name) => name.toLowerCase() === 'host')) {
    throw new TypeError('headers must not have a Host field: use the option host');
  }
  return { method, path, headers: { Host: host, ...headers }, last: options.reuseConnection !== true };
}

/** Throws TypeError for names and values that are no fields of HTTP. */
export function checkFields(headers: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(headers)) {
    if (TOKEN.test(name) && /^[\x20-\x7e\t\x80-\xff]*$/.test(value)) continue;
    throw new TypeError(`headers: ${JSON.stringify(name)}: ${JSON.stringify(value)} is not a valid header field`);
  }
}
