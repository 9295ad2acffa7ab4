/**
 * Discovery from a URL that answers with a JSON list.
 *
 * How a list is written: backend-entries.ts; the exchange: http-probe.ts. A list that has not changed is not sent again where
 * the server knows entity tags (RFC 9110 sections 8.8.3 and 13.1.2).
 */
import { CirqueError } from '@cirque/error';
import type { InetAddress } from '@cirque/transport';
import { backendConnect, type ConnectBackend, type TlsCheckOptions } from '../health/connect-backend.ts';
import { checkFields } from '../health/http-check-request.ts';
import { type HttpCheckResponse, HttpProbe, type ProbeBody } from '../health/http-probe.ts';
import { integerOption } from '../number-option.ts';
import { abortable, runInSlices } from '../run-in-slices.ts';
import { realTime, type TimeSource } from '../time-source.ts';
import { readBackendList } from './backend-entries.ts';
import type { Discovered, ServiceDiscovery } from './discovery.ts';

/** Everything but `url` has a default. With `https:` the certificate must be right, unless the TLS options say otherwise. */
export interface HttpDiscoveryOptions extends Omit<TlsCheckOptions, 'tls'> {
  /** `http:` or `https:`. */
  readonly url: string | URL;
  /** Further fields of the request, `Authorization` say. Default none. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** An empty list removes all backends. Default false: it is an error, and the backends stay. */
  readonly allowEmpty?: boolean | undefined;
  /** A longer list is an error. Default 16,777,216 (16 MiB). */
  readonly maxBodyBytes?: number | undefined;
  /** Time for establishing the connection. Default 2,000. */
  readonly connectionTimeoutMs?: number | undefined;
  /** Longest wait for the head of the answer, and then for each further piece of the list. Default 5,000. */
  readonly readTimeoutMs?: number | undefined;
  /** Time for a whole discovery. Default 10,000. */
  readonly timeoutMs?: number | undefined;
  /** For tests: the clock and the timers. */
  readonly time?: TimeSource | undefined;
}

/**
 * The backends that a URL lists. Redirects are not followed. An answer other than 200 and 304, one that is too long, and one that
 * cannot be understood, are errors: the balancer keeps its backends.
 *
 * Throws TypeError or RangeError, naming the option, for values that cannot work.
 */
export class HttpDiscovery implements ServiceDiscovery {
  readonly url: string;
  readonly timeoutMs: number;
  readonly #address: InetAddress;
  readonly #target: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #allowEmpty: boolean;
  readonly #maxBodyBytes: number;
  readonly #timeouts: { readonly connectionTimeoutMs: number; readonly readTimeoutMs: number };
  readonly #time: TimeSource;
  readonly #connect: ConnectBackend;
  /** The last list that was understood, and its tag. */
  #known: { readonly tag: string; readonly discovered: Discovered } | undefined;

  constructor(options: HttpDiscoveryOptions) {
    const { allowEmpty = false, headers = {}, time = realTime } = options;
    const url = readUrl(options.url);
    checkFields(headers);
    if (Object.keys(headers).some((name) => name.toLowerCase() === 'host')) {
      throw new TypeError('headers must not have a Host field: it is that of the url');
    }
    this.url = url.href;
    this.#address = { host: url.hostname.replace(/^\[(.*)\]$/, '$1'), port: portOf(url) };
    this.#target = `${url.pathname}${url.search}`;
    this.#headers = { Host: url.host, Accept: 'application/json', ...headers };
    this.#allowEmpty = allowEmpty;
    this.#maxBodyBytes = integerOption('maxBodyBytes', options.maxBodyBytes, 16_777_216, 1, 536_870_912);
    this.#timeouts = {
      connectionTimeoutMs: integerOption('connectionTimeoutMs', options.connectionTimeoutMs, 2_000, 1),
      readTimeoutMs: integerOption('readTimeoutMs', options.readTimeoutMs, 5_000, 1),
    };
    this.timeoutMs = integerOption('timeoutMs', options.timeoutMs, 10_000, 1);
    this.#time = time;
    this.#connect = backendConnect({ ...options, tls: url.protocol === 'https:' }, time);
  }

  /** Fetches the list. Rejects with the reason. */
  async discover(signal: AbortSignal = new AbortController().signal): Promise<Discovered> {
    const [address, connect, time] = [this.#address, this.#connect, this.#time];
    const probe = new HttpProbe({ address, connect, time, ...this.#timeouts });
    const known = this.#known;
    const headers = known === undefined ? this.#headers : { ...this.#headers, 'If-None-Match': known.tag };
    const request = { method: 'GET', path: this.#target, headers, last: true };
    try {
      return await probe.send(request, signal, (response, body) => this.#receive(response, body, known, signal));
    } finally {
      await probe.destroy();
    }
  }

  async #receive(
    { statusCode, headers }: HttpCheckResponse,
    body: ProbeBody,
    known: { readonly discovered: Discovered } | undefined,
    signal: AbortSignal,
  ): Promise<Discovered> {
    if (statusCode === 304 && known !== undefined) return known.discovered;
    if (statusCode !== 200) throw CirqueError.upstream('UnexpectedStatus', `expected status 200, got ${statusCode}`);
    const { bytes, complete } = await body.read(this.#maxBodyBytes);
    if (!complete) throw CirqueError.upstream('ResponseTooLarge', `the list has more than ${this.#maxBodyBytes} bytes`);
    const list = {
      name: this.url,
      text: bytes.toString('utf8'),
      format: 'json',
      allowEmpty: this.#allowEmpty,
    } as const;
    const discovered = await runInSlices(abortable(readBackendList(list), signal));
    const { etag } = headers;
    this.#known = typeof etag === 'string' ? { tag: etag, discovered } : undefined;
    return discovered;
  }
}

function readUrl(text: string | URL): URL {
  const url = URL.parse(String(text));
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new TypeError(`url must begin with http:// or https://, got ${JSON.stringify(String(text))}`);
  }
  if (url.username !== '' || url.password !== '') {
    throw new TypeError('url must not have a user name or password: put them into headers, as Authorization');
  }
  return url;
}

function portOf({ port, protocol }: URL): number {
  if (port !== '') return Number(port);
  return protocol === 'https:' ? 443 : 80;
}
