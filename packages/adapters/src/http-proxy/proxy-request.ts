/**
 * The request that is about to go to the target, in the shape of node's ClientRequest: what `proxyReq` listeners change.
 */
import { EventEmitter } from 'node:events';
import type { RequestHeader } from '@cirque/http';

/** See the file's head. Changes count during the event. */
export class ProxyRequest extends EventEmitter {
  readonly protocol: string;
  /** Host of the target. */
  readonly host: string;
  /** Why the listener has given the request up. */
  destroyed = false;
  readonly #header: RequestHeader;
  readonly #written: Buffer[] | undefined;
  #reason: Error | undefined = undefined;

  /** @param written takes what is written as body; undefined where the body of the request itself is sent. */
  constructor(header: RequestHeader, target: { tls: boolean; host: string }, written: Buffer[] | undefined) {
    super();
    this.#header = header;
    this.#written = written;
    this.protocol = target.tls ? 'https:' : 'http:';
    this.host = target.host;
  }

  get method(): string {
    return this.#header.method;
  }
  set method(method: string) {
    this.#header.method = method;
  }

  /** Path and query. */
  get path(): string {
    return this.#header.target;
  }
  set path(path: string) {
    this.#header.target = path;
  }

  /** @throws CirqueError InvalidHTTPHeader for what cannot be sent. */
  setHeader(name: string, value: string | number | readonly string[]): this {
    const { headers } = this.#header;
    if (Array.isArray(value)) {
      headers.delete(name);
      for (const one of value) headers.append(name, String(one));
    } else headers.set(name, String(value));
    return this;
  }

  appendHeader(name: string, value: string | readonly string[]): this {
    for (const one of [value].flat()) this.#header.headers.append(name, one);
    return this;
  }

  getHeader(name: string): string | string[] | undefined {
    const values = this.#header.headers.getAll(name);
    return values.length > 1 ? values : values[0];
  }

  getHeaders(): Record<string, string | string[]> {
    return this.#header.headers.toJSON();
  }

  getHeaderNames(): string[] {
    return Object.keys(this.getHeaders());
  }

  hasHeader(name: string): boolean {
    return this.#header.headers.has(name);
  }

  removeHeader(name: string): void {
    this.#header.headers.delete(name);
  }

  /**
   * The body, where that of the request was read before the proxy got it.
   *
   * @throws TypeError where the body of the request itself is sent.
   */
  write(chunk: string | Uint8Array, encoding?: BufferEncoding): boolean {
    if (this.#written === undefined) {
      throw new TypeError('proxyReq.write() is for requests whose body was read before: this one is sent as it comes');
    }
    this.#written.push(typeof chunk === 'string' ? Buffer.from(chunk, encoding) : Buffer.from(chunk));
    return true;
  }

  /** As {@link write}; the end comes by itself. */
  end(chunk?: string | Uint8Array, encoding?: BufferEncoding): this {
    if (chunk !== undefined) this.write(chunk, encoding);
    return this;
  }

  /** Gives the request up; the client gets what `error` listeners make of it. */
  destroy(reason?: Error): this {
    this.destroyed = true;
    this.#reason ??= reason;
    return this;
  }

  /** As {@link destroy}. */
  abort(): void {
    this.destroy();
  }

  /** @internal */
  get reason(): Error | undefined {
    return this.#reason;
  }
}
