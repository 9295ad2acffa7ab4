/**
 * One connection to the scripted upstream: reads requests, asks the script, plays its answers.
 */
import { CirqueError } from '@cirque/error';
import type { HeaderMap } from '@cirque/http';
import {
  checkHttp1Leniency,
  DEFAULT_HTTP1_LIMITS,
  hasNoBody,
  type MessageSink,
  RequestDecoder,
  RequestRules,
  requestHead,
} from '@cirque/http1';
import type { MemoryEnd } from './memory-duplex.ts';
import { bytesIn, chunkOf, fieldsOf, headBytes, lastChunk, piecesOf, written } from './message-text.ts';
import type { TestClock } from './test-clock.ts';
import type { UpstreamAnswer, UpstreamRequest, UpstreamResponse, UpstreamScript } from './upstream-script.ts';

/** What all connections of an upstream share. */
export interface UpstreamContext {
  readonly script: UpstreamScript;
  readonly clock: TestClock;
  /** Complete requests, in the order of their completion. */
  readonly requests: UpstreamRequest[];
  /** What the proxy sent although it must not, and what the script threw. */
  readonly problems: CirqueError[];
}

interface Reading {
  readonly method: string;
  readonly target: string;
  readonly headers: HeaderMap;
  readonly pieces: Buffer[];
  /** `early` has answered: the rest of the request is only read. */
  answered: boolean;
}

/** A connection of the proxy, seen from the upstream. */
export class UpstreamConnection implements MessageSink {
  /** Where the proxy connected to. */
  readonly address: string;
  /** Which connection of the upstream this is, from 0. */
  readonly index: number;
  /** Requests that came on it. */
  requestCount = 0;
  readonly #end: MemoryEnd;
  readonly #context: UpstreamContext;
  readonly #decoder: RequestDecoder = new RequestDecoder(this, RULES);
  #rest: Buffer = Buffer.alloc(0);
  #reading: Reading | undefined;
  #closeKind: 'end' | 'reset' | undefined;

  /** @internal */
  constructor(end: MemoryEnd, address: string, index: number, context: UpstreamContext) {
    this.#end = end;
    this.address = address;
    this.index = index;
    this.#context = context;
    end.on('data', (bytes: Buffer) => this.#read(bytes));
    end.on('end', () => {
      this.#closeKind ??= 'end';
      end.end();
    });
    end.on('error', () => {
      this.#closeKind = 'reset';
    });
  }

  /** How the proxy closed it; undefined while it is open. */
  get closedByProxy(): 'end' | 'reset' | undefined {
    return this.#closeKind;
  }

  /** True until either side has closed it. */
  get open(): boolean {
    return this.#closeKind === undefined && !this.#end.destroyed && !this.#end.writableEnded;
  }

  /** Sends bytes as they are (text as Latin-1); resolves when the proxy has taken them, or is gone. */
  write(bytes: string | Uint8Array): Promise<void> {
    return written(this.#end, typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : Buffer.from(bytes));
  }

  /** Closes the connection after what was written (FIN). */
  close(): void {
    this.#end.end();
  }

  /** Breaks the connection (RST). */
  reset(): void {
    this.#end.resetAndDestroy();
  }

  /** Stops reading, so that the proxy comes to feel back-pressure. */
  pause(): void {
    this.#end.pause();
  }

  resume(): void {
    this.#end.resume();
  }

  /** @internal */
  destroy(): void {
    this.#end.destroy();
  }

  /** @internal */
  onMessageHead(): void {
    const { method, target, headers } = requestHead.header;
    this.requestCount += 1;
    const reading: Reading = { method, target, headers, pieces: [], answered: false };
    this.#reading = reading;
    const { early } = this.#context.script;
    if (early === undefined) return;
    const request = this.#requestOf(reading, undefined);
    void this.#ask(() => early(request, this)).then((answer) => {
      if (answer === undefined) return;
      reading.answered = true;
      return this.#play(answer, method);
    });
  }

  /** @internal */
  onBodyBytes(buffer: Buffer, start: number, end: number): void {
    this.#reading?.pieces.push(Buffer.from(buffer.subarray(start, end)));
  }

  /** @internal */
  onMessageEnd(trailers: HeaderMap | undefined): void {
    const reading = this.#reading;
    this.#reading = undefined;
    if (reading === undefined) return;
    const request = this.#requestOf(reading, trailers);
    this.#context.requests.push(request);
    const { respond } = this.#context.script;
    // The connection reads on only after its answer: one request at a time.
    void this.#ask(() => (respond === undefined ? { status: 200 } : respond(request, this)))
      .then((answer) => (reading.answered ? undefined : this.#play(answer, reading.method)))
      .then(() => this.#next());
  }

  #requestOf({ method, target, headers, pieces }: Reading, trailers: HeaderMap | undefined): UpstreamRequest {
    return { method, target, headers, body: Buffer.concat(pieces), trailers, connection: this };
  }

  async #ask(handler: () => UpstreamAnswer | PromiseLike<UpstreamAnswer>): Promise<UpstreamAnswer> {
    try {
      // A turn later: `early` and `respond` never run inside the parser.
      await undefined;
      return await handler();
    } catch (error) {
      this.#context.problems.push(CirqueError.from(error, 'InternalError', 'Internal'));
      return 'reset';
    }
  }

  #read(bytes: Buffer): void {
    this.#rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    this.#decode();
  }

  #next(): void {
    this.#decoder.next();
    this.#decode();
  }

  #decode(): void {
    const bytes = this.#rest;
    try {
      this.#rest = bytes.subarray(this.#decoder.feed(bytes, 0, bytes.length));
    } catch (error) {
      this.#context.problems.push(CirqueError.from(error, 'InternalError', 'Downstream'));
      this.reset();
    }
  }

  async #play(answer: UpstreamAnswer, method: string): Promise<void> {
    if (answer === undefined || answer === 'hang') return;
    if (answer === 'close' || answer === 'reset') this.#finish(answer);
    else await this.#respond(answer, method);
  }

  async #respond(response: UpstreamResponse, method: string): Promise<void> {
    const { clock } = this.#context;
    const { status = 200, delayMs = 0, bodyDelayMs = 0, trailers, cut, close = false, informational = [] } = response;
    await clock.sleep(delayMs);
    for (const one of informational) await this.#sendHead(one.status, undefined, fieldsOf(one.headers));
    if (response.raw !== undefined) {
      await this.write(response.raw);
      this.#finish(cut ?? (close ? 'close' : undefined));
      return;
    }
    const pieces = hasNoBody(status, method) ? [] : piecesOf(response.body);
    const { headers, framing } = framed(response, status, method);
    await this.#sendHead(status, response.reason, headers);
    for (const piece of pieces) {
      await clock.sleep(bodyDelayMs);
      await this.write(framing === 'chunked' ? chunkOf(piece) : piece);
    }
    if (cut === undefined && framing === 'chunked') await this.write(lastChunk(trailers));
    this.#finish(cut ?? (close || framing === 'close' ? 'close' : undefined));
  }

  #finish(how: 'close' | 'reset' | undefined): void {
    if (how === 'reset') this.reset();
    else if (how === 'close') this.close();
  }

  #sendHead(status: number, reason: string | undefined, headers: HeaderMap): Promise<void> {
    return this.write(headBytes(`HTTP/1.1 ${status} ${reason ?? 'Test'}`, headers));
  }
}

/** Adds the framing that the response asks for; what its own fields say goes first. */
function framed(
  response: UpstreamResponse,
  status: number,
  method: string,
): { headers: HeaderMap; framing: UpstreamResponse['framing'] } {
  const headers = fieldsOf(response.headers);
  if (response.close === true) headers.set('Connection', 'close');
  if (headers.has('Content-Length') || headers.has('Transfer-Encoding')) return { headers, framing: undefined };
  const framing = response.framing ?? (Array.isArray(response.body) ? 'chunked' : 'length');
  if (status === 204 || status === 304) return { headers, framing: undefined };
  if (framing === 'chunked') headers.append('Transfer-Encoding', 'chunked');
  // A cut body is announced longer than it is, so that the cut can be seen.
  const missing = response.cut === undefined ? 0 : 1;
  if (framing === 'length') headers.append('Content-Length', String(bytesIn(piecesOf(response.body)) + missing));
  return { headers, framing: method === 'HEAD' ? undefined : framing };
}

const RULES: RequestRules = new RequestRules(DEFAULT_HTTP1_LIMITS, checkHttp1Leniency(undefined));
