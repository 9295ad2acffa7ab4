/**
 * The load shapes: what the clients send, how many there are, and what the origin answers.
 *
 * Only data. `load-generator.ts` turns a shape into a command line, `origin.ts` serves the paths named here.
 */
import type { ClientProtocol, OriginProtocol } from './traffic.ts';

/** How a shape is measured: CPU per request in slices, memory per idle connection, or memory over many requests. */
export type ShapeKind = 'slices' | 'idle' | 'soak';

export interface Shape {
  readonly name: string;
  readonly title: string;
  readonly kind: ShapeKind;
  /** Path at the origin; decides the answer. */
  readonly path: string;
  readonly bodyBytes: number;
  readonly connections: number;
  readonly client: ClientProtocol;
  readonly origin: OriginProtocol;
  /** Requests at the same time on each connection; more than one only where clients speak HTTP/2. */
  readonly streams: number;
  /** `browser` sends {@link BROWSER_FIELDS} next to Host, `grpc` {@link GRPC_FIELDS}, `none` only Host. */
  readonly fields: 'browser' | 'grpc' | 'none';
  /** Size of the request body; 0 is a GET. */
  readonly postBytes: number;
  /** The client asks for `Connection: close` and opens a new connection for each request. */
  readonly newConnections: boolean;
  /** Every request differs from the one before, so that nothing remembered from it helps. */
  readonly variedHeads: boolean;
}

/** Eight header fields as a browser sends them, about 450 bytes; Host comes on top. */
export const BROWSER_FIELDS: readonly (readonly [string, string])[] = [
  [
    'User-Agent',
    'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36',
  ],
  ['Accept', 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8'],
  ['Accept-Language', 'en-GB,en;q=0.9,de;q=0.8'],
  ['Accept-Encoding', 'gzip, deflate, br, zstd'],
  ['Referer', 'http://www.example.com/catalogue/list?page=3'],
  ['Cookie', 'session=8f14e45fceea167a5a36dedd4bea2543; theme=dark; consent=all'],
  ['Cache-Control', 'max-age=0'],
  ['Upgrade-Insecure-Requests', '1'],
];

/** What a gRPC client sends; the origin answers with a trailer. */
export const GRPC_FIELDS: readonly (readonly [string, string])[] = [
  ['User-Agent', 'grpc-node-js/1.14.1'],
  ['Content-Type', 'application/grpc'],
  ['TE', 'trailers'],
  ['Grpc-Accept-Encoding', 'identity,deflate,gzip'],
  ['Grpc-Timeout', '5S'],
];

const FIELDS = { browser: BROWSER_FIELDS, grpc: GRPC_FIELDS, none: [] } as const;

/** The header fields that clients send in this shape, without Host. */
export function requestFields(shape: Shape): readonly (readonly [string, string])[] {
  const fields = FIELDS[shape.fields];
  return shape.newConnections ? [...fields, ['Connection', 'close']] : fields;
}

const BASE: Omit<Shape, 'name' | 'title'> = {
  kind: 'slices',
  path: '/1k',
  bodyBytes: 1024,
  connections: 64,
  client: 'http',
  origin: 'http',
  streams: 1,
  fields: 'browser',
  postBytes: 0,
  newConnections: false,
  variedHeads: false,
};

function shape(name: string, title: string, changes: Partial<Shape> = {}): Shape {
  return { ...BASE, ...changes, name, title };
}

/** HTTP/2 clients: few connections, many requests on each. */
const MULTIPLEXED = { connections: 8, streams: 10 } as const;

/** Idle client connections held by the `idle10k` shape where the descriptor limit allows it. */
export const IDLE_CONNECTIONS = 10_000;

/** Requests of the `soak` shape that count, after the warm-up. */
export const SOAK_REQUESTS = 1_000_000;

export const SHAPES: readonly Shape[] = [
  shape('1k', 'GET, 1 KB body, 8 browser-like fields, 64 connections'),
  shape('100b', 'GET, 100 B body, no fields but Host, 64 connections', {
    path: '/100b',
    bodyBytes: 100,
    fields: 'none',
  }),
  shape('64k', 'GET, 64 KB body, 64 connections', { path: '/64k', bodyBytes: 65_536 }),
  shape('1m', 'GET, 1 MB body, 16 connections', { path: '/1m', bodyBytes: 1_048_576, connections: 16 }),
  shape('chunked', 'GET, 1 KB chunked body, 64 connections', { path: '/chunked' }),
  shape('1-connection', 'GET, 1 KB body, 1 connection', { connections: 1 }),
  shape('512-connections', 'GET, 1 KB body, 512 connections', { connections: 512 }),
  shape('post', 'POST 1 KB, 1 KB answer, 64 connections', { postBytes: 1024 }),
  shape('new-connection', 'GET, 1 KB body, a new connection per request, 64 at a time', { newConnections: true }),
  shape('varied', 'GET, 1 KB body, 256 different heads in turn, 64 connections', { variedHeads: true }),
  shape('tls', 'HTTP/1.1 over TLS 1.3, GET, 1 KB body, 64 connections', { client: 'https' }),
  shape('tls-64k', 'HTTP/1.1 over TLS 1.3, GET, 64 KB body, 64 connections', {
    client: 'https',
    path: '/64k',
    bodyBytes: 65_536,
  }),
  shape('tls-new', 'HTTP/1.1 over TLS 1.3, GET, 1 KB body, a full handshake per request, 64 at a time', {
    client: 'https',
    newConnections: true,
  }),
  shape('h2', 'HTTP/2 in cleartext to an HTTP/1.1 origin, GET, 1 KB body, 8 connections with 10 requests each', {
    client: 'h2c',
    ...MULTIPLEXED,
  }),
  shape('h2-tls', 'HTTP/2 over TLS 1.3 to an HTTP/1.1 origin, GET, 1 KB body, 8 connections with 10 requests each', {
    client: 'h2',
    ...MULTIPLEXED,
  }),
  shape('h2-upstream', 'HTTP/1.1 to an HTTP/2 origin in cleartext, GET, 1 KB body, 64 connections', {
    origin: 'h2c',
  }),
  shape('h2-h2', 'HTTP/2 on both sides in cleartext, as gRPC: POST 64 B, 64 B and a trailer back, 8 x 10 requests', {
    client: 'h2c',
    origin: 'h2c',
    path: '/grpc',
    bodyBytes: 64,
    fields: 'grpc',
    postBytes: 64,
    ...MULTIPLEXED,
  }),
  shape('idle10k', '10,000 idle keep-alive connections after one request each', { kind: 'idle' }),
  shape('soak', '1,000,000 requests, 1 KB body, 64 connections', { kind: 'soak' }),
];

/** What `npm run bench` measures without `--shape`: the shapes that have a goal. */
export const DEFAULT_SHAPES: readonly string[] = [
  '1k',
  '64k',
  'new-connection',
  'tls',
  'h2',
  'h2-tls',
  'h2-upstream',
  'h2-h2',
  'idle10k',
  'soak',
];
