/**
 * The application of the origins: its paths are the ways a response can be.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { constants } from 'node:http2';
import { breakOff, type OriginApp } from './four-origins.ts';

type Route = (request: IncomingMessage, response: ServerResponse, url: URL) => void;

/** What the application has seen. */
export interface EchoLog {
  /** `METHOD /path` for each request, then `aborted METHOD /path` for those that closed before their answer had ended. */
  readonly lines: string[];
}

const routes: Readonly<Record<string, Route>> = {
  '/echo': echo,
  '/bytes': (_request, response, { searchParams }) => sendBytes(response, Number(searchParams.get('n'))),
  '/hints': (request, response) => {
    response.writeEarlyHints({ link: '</style.css>; rel=preload; as=style' });
    setImmediate(() => echo(request, response));
  },
  '/early': (_request, response) => {
    response.writeHead(403, { 'content-type': 'text/plain' });
    response.end('not you');
  },
  '/trailers': (_request, response) => {
    response.writeHead(200, { trailer: 'x-checksum, x-count' });
    response.write('body');
    response.addTrailers({ 'x-checksum': 'abc', 'x-count': '1' });
    response.end();
  },
  '/nothing': (_request, response) => void response.writeHead(204).end(),
  '/not-modified': (_request, response) => void response.writeHead(304, { etag: '"a"' }).end(),
  '/cookies': (request, response) => {
    response.setHeader('set-cookie', ['a=1', 'b=2']);
    response.end(request.headers.cookie);
  },
  '/broken-head': (_request, response) => breakOff(response, constants.NGHTTP2_INTERNAL_ERROR),
  '/broken-body': (_request, response) => {
    response.writeHead(200);
    response.write('beginning', () => setTimeout(breakOff, 20, response, constants.NGHTTP2_INTERNAL_ERROR));
  },
  '/refused': (_request, response) => breakOff(response, constants.NGHTTP2_REFUSED_STREAM),
  '/never': () => undefined,
  '/begun': (_request, response) => {
    response.writeHead(200);
    response.write('beginning');
  },
};

/** Makes the application and the log it writes. */
export function echoApp(): { readonly app: OriginApp; readonly log: EchoLog } {
  const log: EchoLog = { lines: [] };
  const app: OriginApp = (request, response) => {
    const { method, url = '/' } = request;
    log.lines.push(`${method} ${url}`);
    request.on('error', () => undefined);
    response.on('error', () => undefined);
    response.on('close', () => {
      if (!response.writableEnded) log.lines.push(`aborted ${method} ${url}`);
    });
    const parsed = new URL(url, 'http://origin.test');
    const route = routes[parsed.pathname] ?? echo;
    route(request, response, parsed);
  };
  return { app, log };
}

/** Answers with the request: body, trailers, and the rest in fields. */
function echo(request: IncomingMessage, response: ServerResponse): void {
  const { method = '', httpVersion, headers } = request;
  response.setHeader('x-method', method);
  response.setHeader('x-version', httpVersion);
  response.setHeader('x-host', headers.host ?? String(headers[':authority'] ?? ''));
  const names = Object.keys(headers).filter((name) => !name.startsWith(':'));
  response.setHeader('x-fields', names.join(' '));
  if (request.headers['content-length'] !== undefined && method !== 'HEAD')
    response.setHeader('content-length', request.headers['content-length']);
  else response.setHeader('trailer', 'x-request-trailers');
  request.on('data', (chunk: Buffer) => {
    if (response.write(chunk)) return;
    request.pause();
    response.once('drain', () => request.resume());
  });
  request.on('end', () => {
    const trailers = Object.entries(request.trailers).map(([name, value]) => `${name}=${value}`);
    if (trailers.length > 0 && response.getHeader('trailer'))
      response.addTrailers({ 'x-request-trailers': trailers.join() });
    response.end();
  });
}

function sendBytes(response: ServerResponse, count: number): void {
  response.setHeader('content-length', count);
  const piece = Buffer.alloc(65_536, 'x');
  let left = count;
  const more = (): void => {
    while (left > 0) {
      const size = Math.min(left, piece.length);
      left -= size;
      if (!response.write(piece.subarray(0, size))) {
        response.once('drain', more);
        return;
      }
    }
    response.end();
  };
  more();
}
