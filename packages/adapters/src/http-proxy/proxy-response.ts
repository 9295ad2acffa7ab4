/**
 * The response of the target in the shape of node's IncomingMessage: what `proxyRes` listeners read and change.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { Readable } from 'node:stream';
import { HeaderMap, ResponseHeader } from '@cirque/http';

/** Bytes of a body that wait for whoever reads it. */
const HIGH_WATER_MARK = 65_536;

/** See the file's head. Changes of status and headers count during the event. */
export class ProxyResponse extends Readable {
  statusCode: number;
  statusMessage: string;
  /** Lower-case names; several values of a field are joined, but for Set-Cookie. */
  headers: IncomingHttpHeaders;
  /** Names and values as they came, one after the other. */
  readonly rawHeaders: readonly string[];
  readonly httpVersion: string = '1.1';
  trailers: Record<string, string | string[]> = {};
  /** The whole body has come. */
  complete = false;
  readonly #held: boolean;
  readonly #onRead: () => void;
  #full = false;

  /**
   * @param held the body waits for its reader; else it goes to the client, and here only if somebody listens.
   * @param onRead told that there is room again, after {@link accept} has answered false.
   */
  constructor(header: ResponseHeader, held: boolean, onRead: () => void) {
    super({ highWaterMark: HIGH_WATER_MARK });
    this.#held = held;
    this.statusCode = header.status;
    this.statusMessage = header.reason;
    this.headers = joined(header.headers);
    this.rawHeaders = [...header.headers].flat();
    this.#onRead = onRead;
  }

  /** @internal A copy for whoever listens. False: full. */
  accept(buffer: Buffer, start: number, end: number): boolean {
    if (this.destroyed) return true;
    this.#full = !this.push(Buffer.from(buffer.subarray(start, end)));
    return !this.#full;
  }

  /** @internal The body is for somebody here. */
  get wanted(): boolean {
    return this.#held || this.readableFlowing !== null;
  }

  /** @internal The body is complete. Where nobody reads it, it ends all the same. */
  finish(trailers: HeaderMap | undefined): void {
    this.trailers = trailers?.toJSON() ?? {};
    this.complete = true;
    if (this.destroyed) return;
    this.push(null);
  }

  /** @internal The body will not be complete. As node does it: an error only for who listens to errors. */
  cut(error: Error): void {
    this.emit('aborted');
    this.destroy(this.listenerCount('error') > 0 ? error : undefined);
  }

  /** @internal The head as listeners have left it, names as they were spelt. */
  toHeader(): ResponseHeader {
    const spelt = new Map<string, string>();
    for (let at = 0; at < this.rawHeaders.length; at += 2) {
      const name = this.rawHeaders[at] as string;
      if (!spelt.has(name.toLowerCase())) spelt.set(name.toLowerCase(), name);
    }
    const fields = HeaderMap.empty();
    for (const [name, value] of Object.entries(this.headers)) {
      if (value === undefined) continue;
      for (const one of [value].flat()) fields.append(spelt.get(name.toLowerCase()) ?? name, String(one));
    }
    const header = new ResponseHeader(this.statusCode, fields);
    if (this.statusMessage !== header.reason) header.reason = this.statusMessage;
    return header;
  }

  override _read(): void {
    if (!this.#full) return;
    this.#full = false;
    this.#onRead();
  }
}

function joined(fields: HeaderMap): IncomingHttpHeaders {
  const headers: Record<string, string | string[]> = Object.create(null);
  for (const [name, value] of Object.entries(fields.toJSON())) {
    headers[name] = name === 'set-cookie' ? [value].flat() : [value].flat().join(', ');
  }
  return headers;
}
