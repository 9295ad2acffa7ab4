/**
 * One listening address with its connections, without a server around it: real sockets, and where it matters time driven by
 * hand.
 */

import { HeaderMap, ResponseHeader } from '@cirque/http';
import { FakeClock, RawClient } from '@cirque/testing';
import { TimerWheel } from '@cirque/timeout';
import { type ConnectionFilterLike, HttpConnectionApp, type ServerApp, type ServerSession } from '../src/index.ts';
import { bind } from '../src/listeners/bind.ts';
import type { BoundListener } from '../src/listeners/bound-listener.ts';
import { connectionFilter } from '../src/listeners/connection-filter.ts';
import type { ConnectionLimitOptions } from '../src/listeners/connection-limit-options.ts';
import { type TcpSocketOptions, tcpEndpoint, unixEndpoint } from '../src/listeners/endpoint.ts';
import { ServiceConnections } from '../src/listeners/service-connections.ts';
import type { TlsSettings } from '../src/listeners/tls/tls-settings.ts';
import { TransportStack } from '../src/listeners/transport-stack.ts';
import type { ThreadPlace } from '../src/service/thread-place.ts';
import { type LogLine, recordingLogger } from './running-server.ts';

/** What a site is made of; all optional. */
export interface StackSiteOptions {
  readonly limits?: ConnectionLimitOptions;
  readonly tls?: TlsSettings;
  readonly tcp?: TcpSocketOptions;
  /** Listens on this path instead of TCP. */
  readonly path?: string;
  readonly filter?: ConnectionFilterLike;
  readonly place?: ThreadPlace;
}

/** A running site. */
export class StackSite {
  readonly stack: TransportStack;
  readonly connections: ServiceConnections;
  readonly lines: LogLine[];
  readonly #listener: BoundListener;
  readonly #app: ServerApp;
  readonly #stopping: AbortController;
  readonly #clients: RawClient[] = [];

  private constructor(
    stack: TransportStack,
    listener: BoundListener,
    parts: Pick<StackSite, 'connections' | 'lines'>,
    app: ServerApp,
    stopping: AbortController,
  ) {
    this.stack = stack;
    this.connections = parts.connections;
    this.lines = parts.lines;
    this.#listener = listener;
    this.#app = app;
    this.#stopping = stopping;
  }

  static async start(app: ServerApp, options: StackSiteOptions = {}): Promise<StackSite> {
    const { limits = {}, tls, tcp, path, filter, place } = options;
    await tls?.load();
    const endpoint = path === undefined ? tcpEndpoint('127.0.0.1:0', tcp, tls) : unixEndpoint(path);
    const connections = new ServiceConnections('site', app, limits);
    if (place !== undefined) connections.join(place);
    const lines: LogLine[] = [];
    const stopping = new AbortController();
    const listener = await bind(endpoint);
    const stack = new TransportStack(endpoint, listener, {
      app,
      connections,
      logger: recordingLogger(lines),
      shutdown: stopping.signal,
      filter: filter === undefined ? undefined : connectionFilter(filter),
    });
    return new StackSite(stack, listener, { connections, lines }, app, stopping);
  }

  get port(): number {
    return (this.stack.address as { readonly port: number }).port;
  }

  /** A client that is connected; from another address of this machine if one is given. */
  async client(localAddress?: string): Promise<RawClient> {
    const { address } = this.stack;
    const client = await RawClient.connect(
      'path' in address ? address : { port: this.port, ...(localAddress === undefined ? {} : { localAddress }) },
    );
    this.#clients.push(client);
    return client;
  }

  /** As a service does it. */
  stop(): void {
    this.#stopping.abort();
    this.stack.stop();
    for (const stream of this.connections.served()) this.#app.shutdownConnection?.(stream);
  }

  /** The counters. */
  get stats(): ReturnType<ServiceConnections['stats']> {
    return this.connections.stats();
  }

  /** What the listening socket would say. */
  emitError(error: Error): void {
    this.#listener.server.emit('error', error);
  }

  /** Waits until so many connections are open. */
  open(count: number): Promise<void> {
    return until(() => this.connections.open.size === count, `${count} open connections`);
  }

  async close(): Promise<void> {
    this.stop();
    this.connections.open.destroyAll();
    await this.connections.open.empty();
    for (const client of this.#clients) await client.close();
  }
}

/** An HTTP application that answers each request with its target, at once, unless the test has taken it over. */
export class HttpSite {
  readonly clock = new FakeClock();
  readonly wheel: TimerWheel = new TimerWheel({ clock: this.clock });
  readonly app: HttpConnectionApp;
  readonly sessions: ServerSession[] = [];
  /** What the handlers were told of. */
  readonly events: string[] = [];

  /** @param serve answers; default {@link answer}. */
  constructor(serve: (session: ServerSession) => void = answer) {
    this.clock.onAdvance(() => this.wheel.advance());
    const processNewHttp = (session: ServerSession): void => {
      this.sessions.push(session);
      session.handler = {
        onRequestBody: (buffer, start, end) => void this.events.push(`body ${buffer.toString('latin1', start, end)}`),
        onRequestEnd: () => void this.events.push('end'),
        onDownstreamDrain: () => {},
        onDownstreamError: (error) => void this.events.push(`error ${error.type}`),
      };
      serve(session);
    };
    this.app = new HttpConnectionApp({ processNewHttp, serverOptions: { h2c: true } }, this.wheel);
  }

  /** Lets time pass, and what follows from it happen. */
  async pass(ms: number): Promise<void> {
    this.clock.advance(ms, 100);
    for (let round = 0; round < 10; round += 1) await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Answers a request with its target. */
export function answer(session: ServerSession): void {
  const body = Buffer.from(session.requestHeader.target);
  session.writeHead(new ResponseHeader(200, HeaderMap.from({ 'Content-Length': String(body.length) })), false);
  session.writeBody(body, 0, body.length, undefined);
  session.end();
}

/** Waits for something that happens by itself; 5 seconds at most. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  const end = performance.now() + 5_000;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`not within 5 s: ${what}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
