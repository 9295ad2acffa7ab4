/**
 * A whole exchange on a session as one promise: the smallest owner that a session can have.
 */
import type { CirqueError } from '@cirque/error';
import { HeaderMap, RequestHeader, type ResponseHeader } from '@cirque/http';
import type { ClientSession, ClientSessionHandler, HttpConnector, Peer, SessionRequest } from '../src/index.ts';

/** What came back. */
export interface Exchanged {
  readonly status: number;
  readonly body: string;
  readonly reused: boolean;
}

/** What may differ from `GET / HTTP/1.1`. */
export interface ExchangeOptions extends SessionRequest {
  readonly method?: string;
  readonly fields?: Record<string, string>;
  readonly body?: string;
}

/** Gets a session, sends a request, and gives the session back when the response is complete. */
export async function exchange(
  connector: HttpConnector,
  peer: Peer,
  options: ExchangeOptions = {},
): Promise<Exchanged> {
  return exchangeOn(await connector.getSession(peer, options), options);
}

/** The same on a session that is there. */
export function exchangeOn(session: ClientSession, options: ExchangeOptions = {}): Promise<Exchanged> {
  const { method = 'GET', fields = {}, body = '' } = options;
  return new Promise((resolve, reject) => {
    const { reused } = session;
    session.handler = new Collector((status, received) => {
      session.release();
      resolve({ status, body: received, reused });
    }, reject);
    try {
      session.writeHead(new RequestHeader(method, '/', HeaderMap.from({ Host: 'origin', ...fields })), body.length);
      session.writeBody(Buffer.from(body, 'latin1'), 0, body.length);
      session.end();
    } catch (error) {
      session.abort();
      reject(error);
    }
  });
}

class Collector implements ClientSessionHandler {
  readonly #done: (status: number, body: string) => void;
  readonly #failed: (error: CirqueError) => void;
  #status = 0;
  #body = '';

  constructor(done: (status: number, body: string) => void, failed: (error: CirqueError) => void) {
    this.#done = done;
    this.#failed = failed;
  }

  onResponseHead(header: ResponseHeader): void {
    this.#status = header.status;
  }

  onResponseBody(buffer: Buffer, start: number, end: number): void {
    this.#body += buffer.toString('latin1', start, end);
  }

  onResponseEnd(): void {
    this.#done(this.#status, this.#body);
  }

  onUpstreamFlush(): void {}

  onUpstreamDrain(): void {}

  onUpstreamError(error: CirqueError): void {
    this.#failed(error);
  }
}
