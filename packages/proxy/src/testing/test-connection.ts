/**
 * A client connection of a test: sends requests or bare bytes, and shows each response as it came.
 */
import { CirqueError } from '@cirque/error';
import type { HeaderMap, ResponseHeader } from '@cirque/http';
import { DEFAULT_HTTP1_LIMITS, type MessageSink, ResponseDecoder, ResponseRules, responseHead } from '@cirque/http1';
import type { MemoryEnd } from './memory-duplex.ts';
import {
  bytesIn,
  chunkOf,
  fieldsOf,
  headBytes,
  lastChunk,
  piecesOf,
  type TestBody,
  type TestFields,
  written,
} from './message-text.ts';
import type { TestClock } from './test-clock.ts';

/** A request to send. */
export interface TestRequest {
  /** Default GET. */
  readonly method?: string | undefined;
  /** The request target as it goes over the wire. Default `/`. */
  readonly target?: string | undefined;
  /** Host is added when it is missing, and the framing of the body when the fields do not say it. */
  readonly headers?: TestFields | undefined;
  /** Text and bytes are sent with Content-Length, a list in chunks, piece by piece. Default: none. */
  readonly body?: TestBody | undefined;
  /** Trailer fields of a chunked body. */
  readonly trailers?: TestFields | undefined;
  /** Default 1.1. */
  readonly version?: '1.0' | '1.1' | undefined;
}

/** A response as the client saw it. */
export interface TestResponse {
  readonly status: number;
  readonly reason: string;
  readonly headers: HeaderMap;
  readonly body: Buffer;
  /** The body as UTF-8 text. */
  readonly text: string;
  readonly trailers: HeaderMap | undefined;
  /** The heads (1xx) that came before. */
  readonly informational: readonly ResponseHeader[];
  /** False when the connection broke before the end: the client knows that the response was cut. */
  readonly complete: boolean;
  /** The proxy has closed the connection, by now. */
  readonly connectionClosed: boolean;
}

interface Expected {
  readonly method: string;
  readonly informational: ResponseHeader[];
  readonly pieces: Buffer[];
  header: ResponseHeader | undefined;
  trailers: HeaderMap | undefined;
  /** Called with the first head of any kind, for requests that wait for 100. */
  onHead: (() => void) | undefined;
  resolve(response: TestResponse): void;
  reject(error: Error): void;
}

const RULES: ResponseRules = new ResponseRules(DEFAULT_HTTP1_LIMITS);

/** The client's end of a connection to the proxy under test. Requests on it are answered in order. */
export class TestConnection implements MessageSink {
  readonly #end: MemoryEnd;
  readonly #clock: TestClock;
  readonly #decoder: ResponseDecoder = new ResponseDecoder(this, RULES);
  readonly #expected: Expected[] = [];
  readonly #received: Buffer[] = [];
  #rest: Buffer = Buffer.alloc(0);
  #sending: Promise<void> = Promise.resolve();
  #closeKind: 'end' | 'reset' | undefined;

  /** @internal */
  constructor(end: MemoryEnd, clock: TestClock) {
    this.#end = end;
    this.#clock = clock;
    end.on('data', (bytes: Buffer) => {
      this.#received.push(bytes);
      this.#rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
      this.#decode();
    });
    end.on('end', () => this.#closed('end'));
    end.on('error', () => this.#closed('reset'));
    end.on('close', () => this.#closed('end'));
  }

  /** How the proxy closed the connection, by FIN or by RST; undefined while it is open. */
  get closed(): 'end' | 'reset' | undefined {
    return this.#closeKind;
  }

  /** Everything that was received, as it came, as Latin-1 text. */
  get received(): string {
    return Buffer.concat(this.#received).toString('latin1');
  }

  /**
   * Sends a request and answers its response. Several may be under way: they are sent one behind the other (pipelined).
   *
   * Rejects when the connection ends before a response head, or when the response is not HTTP.
   */
  inject(request: TestRequest = {}): Promise<TestResponse> {
    const expected = this.#expect(request.method ?? 'GET');
    this.#sending = this.#sending.then(() => this.#sendRequest(request, expected.entry));
    return expected.response;
  }

  /** Sends bytes as they are (text as Latin-1); resolves when the proxy has taken them, or is gone. */
  send(bytes: string | Uint8Array): Promise<void> {
    return written(this.#end, typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : Buffer.from(bytes));
  }

  /** The next response that nobody has asked for yet: to bytes that were sent with {@link send}. */
  response(method = 'GET'): Promise<TestResponse> {
    const { response } = this.#expect(method);
    this.#decode();
    return response;
  }

  /** Finishes sending (FIN) and goes on reading. */
  end(): void {
    this.#end.end();
  }

  /** Breaks the connection (RST). */
  reset(): void {
    this.#end.resetAndDestroy();
  }

  /** Closes the connection, as a client that leaves. */
  close(): void {
    this.#end.destroy();
  }

  /** Stops reading, so that the proxy comes to feel back-pressure. */
  pause(): void {
    this.#end.pause();
  }

  resume(): void {
    this.#end.resume();
  }

  /** @internal */
  onMessageHead(): void {
    const expected = this.#expected[0];
    if (expected === undefined) return;
    const { header } = responseHead;
    if (header.informational) expected.informational.push(header);
    else expected.header = header;
    expected.onHead?.();
    expected.onHead = undefined;
  }

  /** @internal */
  onBodyBytes(buffer: Buffer, start: number, end: number): void {
    this.#expected[0]?.pieces.push(Buffer.from(buffer.subarray(start, end)));
  }

  /** @internal */
  onMessageEnd(trailers: HeaderMap | undefined): void {
    const expected = this.#expected[0];
    if (expected?.header !== undefined) {
      expected.trailers = trailers;
      this.#expected.shift();
      void this.#conclude(expected, true);
    }
  }

  #expect(method: string): { entry: Expected; response: Promise<TestResponse> } {
    const { promise, resolve, reject } = Promise.withResolvers<TestResponse>();
    // A test may look at it later, or never.
    promise.catch(() => undefined);
    const entry: Expected = {
      method,
      informational: [],
      pieces: [],
      header: undefined,
      trailers: undefined,
      onHead: undefined,
      resolve,
      reject,
    };
    if (this.#closeKind === undefined || this.#rest.length > 0) this.#expected.push(entry);
    else reject(new CirqueError('ConnectionClosed', `the proxy has closed the connection (${this.#closeKind})`));
    return { entry, response: promise };
  }

  async #sendRequest(request: TestRequest, expected: Expected): Promise<void> {
    const { method = 'GET', target = '/', version = '1.1' } = request;
    const headers = fieldsOf(request.headers);
    if (!headers.has('Host') && version === '1.1') headers.set('Host', 'test');
    const own = headers.has('Content-Length') || headers.has('Transfer-Encoding');
    const pieces = piecesOf(request.body);
    const chunked = !own && Array.isArray(request.body);
    if (chunked) headers.append('Transfer-Encoding', 'chunked');
    else if (!own && request.body !== undefined) headers.append('Content-Length', String(bytesIn(pieces)));
    const head = headBytes(`${method} ${target} HTTP/${version}`, headers);
    if (headers.get('expect')?.toLowerCase() === '100-continue') {
      const go = new Promise<void>((resolve) => {
        expected.onHead = resolve;
      });
      await written(this.#end, head);
      await go;
    } else if (pieces.length === 1 && !chunked) {
      await written(this.#end, Buffer.concat([head, pieces[0] as Buffer]));
      return;
    } else {
      await written(this.#end, head);
    }
    for (const piece of pieces) await written(this.#end, chunked ? chunkOf(piece) : piece);
    if (chunked) await written(this.#end, lastChunk(request.trailers));
  }

  #decode(): void {
    try {
      for (
        let expected = this.#expected[0];
        expected !== undefined && this.#rest.length > 0;
        expected = this.#expected[0]
      ) {
        this.#decoder.requestMethod = expected.method;
        const bytes = this.#rest;
        this.#rest = bytes.subarray(this.#decoder.feed(bytes, 0, bytes.length));
        if (this.#decoder.state !== 'complete') return;
        this.#decoder.next();
      }
    } catch (error) {
      for (const { reject } of this.#expected.splice(0)) reject(error as Error);
    }
  }

  #closed(kind: 'end' | 'reset'): void {
    if (this.#closeKind !== undefined) return;
    this.#closeKind = kind;
    if (kind === 'end') {
      try {
        // Ends a body that is delimited by the close.
        if (this.#expected.length > 0) this.#decoder.finish();
      } catch {
        // It was cut: that is what `complete` says.
      }
    }
    for (const expected of this.#expected.splice(0)) {
      expected.onHead?.();
      if (expected.header !== undefined) void this.#conclude(expected, false);
      else expected.reject(new CirqueError('ConnectionClosed', `the connection ended (${kind}) before a response`));
    }
  }

  /** Waits until everything is at rest: only then is it known whether the connection stays open. */
  async #conclude(expected: Expected, complete: boolean): Promise<void> {
    await this.#clock.settle();
    const { status, reason, headers } = expected.header as ResponseHeader;
    const body = Buffer.concat(expected.pieces);
    expected.resolve({
      status,
      reason,
      headers,
      body,
      text: body.toString(),
      trailers: expected.trailers,
      informational: expected.informational,
      complete,
      connectionClosed: this.#closeKind !== undefined,
    });
  }
}
