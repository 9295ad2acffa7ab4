/**
 * One unary gRPC call over a connection of its own, by node:http2.
 *
 * Source: "gRPC over HTTP/2" (requests, responses, trailers-only). Messages are bytes here.
 */
import { once } from 'node:events';
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type IncomingHttpHeaders,
} from 'node:http2';
import type { Duplex } from 'node:stream';
import { CirqueError } from '@cirque/error';

/** What is called. */
export interface GrpcCall {
  /** `/package.Service/Method` */
  readonly path: string;
  readonly authority: string;
  readonly scheme: 'http' | 'https';
  readonly timeoutMs: number;
  /** The message in its frame. */
  readonly body: Buffer;
  /** A longer answer is a failure. */
  readonly maxBytes: number;
}

/**
 * The body of the answer, with its message in its frame, of a call whose status is OK. Uses the connection up.
 *
 * Rejects with UnexpectedStatus for another status of HTTP or gRPC, with whatever broke the connection, and when `signal`
 * aborts.
 */
export async function callGrpc(connection: Duplex, call: GrpcCall, signal: AbortSignal): Promise<Buffer> {
  const session = connect(`${call.scheme}://${call.authority}`, { createConnection: () => connection });
  try {
    return await exchange(session, call, signal);
  } finally {
    session.destroy();
    connection.destroy();
  }
}

function exchange(session: ClientHttp2Session, call: GrpcCall, signal: AbortSignal): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const fail = (error: unknown): void => reject(error as Error);
    const onAbort = (): void => fail(signal.reason);
    session.on('error', fail);
    const onClose = (): void => fail(CirqueError.upstream('ConnectionClosed', 'before the answer was complete'));
    session.once('close', () => {
      signal.removeEventListener('abort', onAbort);
      onClose();
    });
    session.once('goaway', (code) => {
      if (code !== constants.NGHTTP2_NO_ERROR) fail(CirqueError.upstream('H2Error', `GOAWAY with code ${code}`));
    });
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort);
    const stream = session.request(headersOf(call));
    stream.on('error', fail).once('close', onClose);
    answer(stream, call.maxBytes).then(resolve, fail);
    stream.end(call.body);
  });
}

function headersOf({ path, authority, scheme, timeoutMs }: GrpcCall): Record<string, string> {
  return {
    ':method': 'POST',
    ':path': path,
    ':authority': authority,
    ':scheme': scheme,
    'content-type': 'application/grpc',
    te: 'trailers',
    'grpc-timeout': `${timeoutMs}m`,
    'user-agent': 'cirque-health-check',
  };
}

async function answer(stream: ClientHttp2Stream, maxBytes: number): Promise<Buffer> {
  let trailers: IncomingHttpHeaders = {};
  stream.once('trailers', (fields: IncomingHttpHeaders) => {
    trailers = fields;
  });
  const [head] = (await once(stream, 'response')) as [IncomingHttpHeaders & { ':status'?: number }];
  if (head[':status'] !== 200) {
    throw CirqueError.upstream('UnexpectedStatus', `expected a response of gRPC, got HTTP status ${head[':status']}`);
  }
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of stream as AsyncIterable<Buffer>) {
    pieces.push(piece);
    length += piece.length;
    if (length > maxBytes) throw CirqueError.upstream('ResponseTooLarge', `the answer has more than ${maxBytes} bytes`);
  }
  // Without a message the status is in the head.
  checkStatus('grpc-status' in trailers ? trailers : head);
  return Buffer.concat(pieces);
}

function checkStatus(fields: IncomingHttpHeaders): void {
  const status = fields['grpc-status'];
  if (status === '0') return;
  if (status === undefined) throw CirqueError.upstream('UnexpectedResponse', 'the answer has no grpc-status');
  const message = fields['grpc-message'];
  const more = typeof message === 'string' && message !== '' ? `: ${percentDecoded(message)}` : '';
  throw CirqueError.upstream('UnexpectedStatus', `grpc-status ${String(status)}${more}`);
}

/** As it came where the encoding is broken, which the specification asks for. */
function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
