/**
 * Asks an HTTP proxy for a tunnel (CONNECT, RFC 9110 section 9.3.6) on a fresh connection to it.
 */
import { CirqueError } from '@cirque/error';
import { HeaderMap, RequestHeader } from '@cirque/http';
import {
  type MessageSink,
  ResponseDecoder,
  ResponseRules,
  resolveHttp1Limits,
  responseHead,
  serializeRequestHead,
} from '@cirque/http1';
import { Timer, type TimerWheel } from '@cirque/timeout';
import type { Stream, StreamHandler } from '@cirque/transport';

const rules = new ResponseRules(resolveHttp1Limits());

/** Interim responses accepted before the answer. */
const MAX_INTERIM = 20;

/** What one tunnel needs. */
export interface TunnelRequest {
  /** Host and port at the far end. */
  readonly authority: string;
  /** Further fields of the request. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** 0: no deadline. */
  readonly timeoutMs: number;
  readonly wheel?: TimerWheel | undefined;
}

/**
 * Sends CONNECT and waits for a 2xx. Afterwards the stream belongs to the caller, paused and unowned.
 *
 * @throws CirqueError, source Upstream: ConnectProxyFailure when the proxy refuses, answers nonsense or closes,
 * ConnectTimedout at the deadline. The stream is destroyed then.
 */
export function connectTunnel(stream: Stream, request: TunnelRequest): Promise<void> {
  return new Promise((resolve, reject) => new Tunnel(stream, request, resolve, reject).start());
}

class Tunnel implements StreamHandler, MessageSink {
  readonly #stream: Stream;
  readonly #request: TunnelRequest;
  readonly #resolve: () => void;
  readonly #reject: (error: CirqueError) => void;
  readonly #timer: Timer;
  readonly #decoder = new ResponseDecoder(this, rules);
  #open = true;
  #interim = 0;

  constructor(stream: Stream, request: TunnelRequest, resolve: () => void, reject: (error: CirqueError) => void) {
    this.#stream = stream;
    this.#request = request;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#timer = new Timer(() => this.#fail(CirqueError.upstream('ConnectTimedout', this.#what)), request.wheel);
    // Whatever its fields say, no body follows a successful answer (RFC 9112 section 6.3), and others are not read.
    this.#decoder.requestMethod = 'HEAD';
  }

  start(): void {
    const { authority, headers, timeoutMs } = this.#request;
    if (timeoutMs > 0) this.#timer.set(timeoutMs);
    this.#stream.start(this);
    const fields = HeaderMap.from({ Host: authority, ...headers });
    this.#stream.writeLatin1(serializeRequestHead(new RequestHeader('CONNECT', authority, fields), ''));
  }

  onRead(buffer: Buffer, length: number): void {
    if (!this.#open) {
      // Nobody owns the stream yet: what is dropped here would be missing later.
      this.#stream.destroy();
      return;
    }
    try {
      const end = this.#decoder.feed(buffer, 0, length);
      if (this.#decoder.state !== 'complete') return;
      // The far end has nothing to say before it is asked: whose bytes these are, nobody knows.
      if (end < length) throw new Error('bytes arrived before the tunnel was used');
    } catch (cause) {
      this.#refuse(CirqueError.is(cause) ? cause.context : (cause as Error).message, cause);
      return;
    }
    this.#settle();
    this.#stream.pause();
    this.#resolve();
  }

  onReadEnd(): void {
    this.#refuse('the proxy closed the connection');
  }

  onDrain(): void {}

  onClose(error: CirqueError | undefined): void {
    this.#refuse('the proxy closed the connection', error);
  }

  onMessageHead(): void {
    const { status, reason, headers, informational } = responseHead.header;
    if (informational) {
      this.#interim += 1;
      if (this.#interim > MAX_INTERIM) throw new Error(`more than ${MAX_INTERIM} interim responses`);
      return;
    }
    const details = headers.get('Proxy-Status');
    if (status < 200 || status > 299) {
      throw new Error(`the proxy answered ${status} ${reason}${details === undefined ? '' : ` (${details})`}`);
    }
    if (headers.has('Transfer-Encoding')) throw new Error('the proxy answered with Transfer-Encoding');
  }

  onBodyBytes(): void {}

  onMessageEnd(): void {
    if (responseHead.header.informational) this.#decoder.next();
  }

  get #what(): string {
    return `CONNECT ${this.#request.authority}`;
  }

  #refuse(what: string, cause?: unknown): void {
    this.#fail(CirqueError.upstream('ConnectProxyFailure', `${this.#what}: ${what}`, cause));
  }

  #fail(error: CirqueError): void {
    if (!this.#open) return;
    this.#settle();
    this.#stream.destroy();
    this.#reject(error);
  }

  #settle(): void {
    this.#open = false;
    this.#timer.close();
  }
}
