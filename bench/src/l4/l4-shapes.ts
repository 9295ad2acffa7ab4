/**
 * What is passed through the layer-4 proxies: TCP and UDP, without a look at HTTP. Only data.
 */
import { SHAPES, type Shape } from '../shapes.ts';

/** What a proxy has to do: copy a connection, choose by the server name of TLS, or keep UDP sessions. */
export type L4Duty = 'tcp' | 'sni' | 'udp' | 'udp-one-answer';

/** What one unit of work is, for the heads of the tables. */
export type L4Unit = 'MB' | 'connection' | 'exchange' | 'session' | 'round trip';

export interface L4Shape {
  readonly name: string;
  readonly title: string;
  readonly duty: L4Duty;
  readonly unit: L4Unit;
  /** Connections, or UDP clients, at the same time. */
  readonly clients: number;
  readonly load: L4Load;
}

/** Who loads: wrk as the one that needs the least itself, where HTTP can be the bytes; else programs of our own. */
export type L4Load =
  | { readonly kind: 'http'; readonly shape: Shape }
  | { readonly kind: 'bulk' | 'hello' | 'questions' | 'flows'; readonly bytes: number };

/** The server names between which TLS connections are divided. */
export const SERVER_NAMES = ['one.test', 'two.test'] as const;

/** How many clients the loads of short connections have. */
const CLIENTS = 64;

function http(changes: Partial<Shape>): L4Load {
  const base = SHAPES.find(({ name }) => name === '100b') as Shape;
  return { kind: 'http', shape: { ...base, ...changes } };
}

export const L4_SHAPES: readonly L4Shape[] = [
  {
    name: 'tcp-bulk',
    title: 'four long connections, writes of 64 KB, every byte comes back',
    duty: 'tcp',
    unit: 'MB',
    clients: 4,
    load: { kind: 'bulk', bytes: 65_536 },
  },
  {
    name: 'tcp-short',
    title: 'connect, a request, an answer of 100 B, close; 64 at a time',
    duty: 'tcp',
    unit: 'connection',
    clients: CLIENTS,
    load: http({ newConnections: true, connections: CLIENTS }),
  },
  {
    name: 'tcp-pingpong',
    title: 'small requests and answers in turn on 64 long connections',
    duty: 'tcp',
    unit: 'exchange',
    clients: CLIENTS,
    load: http({ connections: CLIENTS }),
  },
  {
    name: 'tls-passthrough-sni',
    title: 'connect, a ClientHello that chooses one of two upstreams, an answer of 100 B, close; 64 at a time',
    duty: 'sni',
    unit: 'connection',
    clients: CLIENTS,
    load: { kind: 'hello', bytes: 100 },
  },
  {
    name: 'udp-dns',
    title: 'one datagram of 64 B and one answer, each from a port of its own; 64 at a time',
    duty: 'udp-one-answer',
    unit: 'session',
    clients: CLIENTS,
    load: { kind: 'questions', bytes: 64 },
  },
  {
    name: 'udp-flows',
    title: '64 clients that stay, datagrams of 64 B and answers in turn',
    duty: 'udp',
    unit: 'round trip',
    clients: CLIENTS,
    load: { kind: 'flows', bytes: 64 },
  },
  {
    name: 'udp-flows-1200',
    title: '64 clients that stay, datagrams of 1,200 B and answers in turn',
    duty: 'udp',
    unit: 'round trip',
    clients: CLIENTS,
    load: { kind: 'flows', bytes: 1_200 },
  },
];
