/**
 * A proxy without sockets: clients, upstream and time are in the hands of the test. Everything between them is the
 * real thing.
 */
import { HttpConnectionApp } from '@cirque/core';
import { HttpConnector } from '@cirque/pool';
import { Stream } from '@cirque/transport';
import { HttpProxy } from '../http-proxy.ts';
import type { PhaseName } from '../phases.ts';
import type { ProxyPhases } from '../proxy-http.ts';
import type { HttpProxyOptions } from '../proxy-options.ts';
import type { ProxyStats } from '../request-counters.ts';
import { MemoryEnd } from './memory-duplex.ts';
import { type LogLine, recordingLogger, recordPhases } from './recorder.ts';
import { ScriptedUpstream } from './scripted-upstream.ts';
import { TestClock } from './test-clock.ts';
import { TestConnection, type TestRequest, type TestResponse } from './test-connection.ts';
import type { TestUpstream } from './upstream-script.ts';

/** What a test proxy can be given besides its phases. */
export interface TestProxySettings {
  /** Default: every request is answered with 200 and no body. */
  readonly upstream?: TestUpstream | undefined;
  /** Default: a new one. */
  readonly clock?: TestClock | undefined;
  /** Options of the proxy, as for `httpProxyService`. */
  readonly options?: HttpProxyOptions | undefined;
}

/** Where a client of a test connects from. */
export interface TestClientSettings {
  /** Default `127.0.0.1`. */
  readonly address?: string | undefined;
}

/** See the file's head. */
export class TestProxy {
  /** Time; it stands still until the test moves it. */
  readonly clock: TestClock;
  /** What arrived at the upstream. */
  readonly upstream: ScriptedUpstream;
  /** The lines that the proxy has logged. */
  readonly logs: readonly LogLine[];
  /** The phases that were called, over all requests, in order. */
  readonly phases: readonly PhaseName[];
  readonly #calls: PhaseName[] = [];
  readonly #lines: LogLine[] = [];
  readonly #stats: () => ProxyStats;
  readonly #accept: (stream: Stream) => void;
  readonly #shutDown: (stream: Stream) => void;
  readonly #cleanUp: () => void;
  readonly #clients = new Map<TestConnection, Stream>();

  /** @internal Use {@link createTestProxy}. */
  constructor(settings: TestProxySettings, makeApp: (calls: PhaseName[], internals: Internals) => App) {
    this.clock = settings.clock ?? new TestClock();
    this.upstream = new ScriptedUpstream(settings.upstream, this.clock);
    this.logs = this.#lines;
    this.phases = this.#calls;
    const { wheel } = this.clock;
    const connect = this.upstream.connect.bind(this.upstream);
    const connector = new HttpConnector({
      poolSize: settings.options?.upstreamKeepalivePoolSize ?? 128,
      wheel,
      connect,
    });
    const app = makeApp(this.#calls, { connector, wheel, logger: recordingLogger(this.#lines) });
    this.#stats = () => app.app.stats();
    this.#accept = (stream) => app.processNew(stream);
    this.#shutDown = (stream) => app.shutdownConnection(stream);
    this.#cleanUp = () => app.app.httpCleanup();
  }

  /** Opens a client connection. */
  connect({ address = '127.0.0.1' }: TestClientSettings = {}): TestConnection {
    const { noteTraffic } = this.clock;
    const proxyEnd = new MemoryEnd(noteTraffic, { remoteAddress: address, remotePort: 50_000, localPort: 80 });
    const clientEnd = new MemoryEnd(noteTraffic);
    MemoryEnd.link(proxyEnd, clientEnd);
    const stream = new Stream(proxyEnd, 'Downstream');
    const connection = new TestConnection(clientEnd, this.clock);
    this.#clients.set(connection, stream);
    clientEnd.once('close', () => this.#clients.delete(connection));
    this.#accept(stream);
    return connection;
  }

  /** Sends one request on a connection of its own, which is closed afterwards. */
  inject(request?: TestRequest): Promise<TestResponse> {
    const response = this.#injectAlone(request);
    // A test may look at it later, or never.
    response.catch(() => undefined);
    return response;
  }

  async #injectAlone(request: TestRequest | undefined): Promise<TestResponse> {
    const connection = this.connect();
    try {
      return await connection.inject(request);
    } finally {
      connection.close();
      await this.clock.settle();
    }
  }

  /** The counters of the proxy and of its upstream connections. */
  get stats(): ProxyStats {
    return this.#stats();
  }

  /** Takes what {@link phases} holds and empties it. */
  takePhases(): PhaseName[] {
    return this.#calls.splice(0);
  }

  /** Begins to stop, as a server does: responses close their connections, idle connections end soon. */
  shutdown(): void {
    for (const stream of this.#clients.values()) this.#shutDown(stream);
    this.#cleanUp();
  }

  /** Closes all connections; resolves when everything is at rest. */
  async close(): Promise<void> {
    for (const connection of this.#clients.keys()) connection.close();
    this.#cleanUp();
    await this.clock.settle();
    this.upstream.destroy();
    await this.clock.settle();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

interface Internals {
  readonly connector: HttpConnector;
  readonly wheel: TestClock['wheel'];
  readonly logger: ReturnType<typeof recordingLogger>;
}

interface App {
  readonly app: { stats(): ProxyStats; httpCleanup(): void };
  processNew(stream: Stream): void;
  shutdownConnection(stream: Stream): void;
}

/**
 * Makes a proxy of the given phases that can be tested without sockets.
 *
 * @throws TypeError or RangeError as `httpProxyService` does.
 * @example
 * const proxy = createTestProxy(new MyProxy(), { upstream: ['refuse', { status: 200, body: 'hello' }] });
 * const { status, text } = await proxy.inject({ target: '/greeting' });
 */
export function createTestProxy<Ctx>(phases: ProxyPhases<Ctx>, settings: TestProxySettings = {}): TestProxy {
  return new TestProxy(settings, (calls, internals) => {
    const proxy = new HttpProxy(recordPhases(phases, calls), settings.options, internals);
    return new HttpConnectionApp(proxy, internals.wheel);
  });
}
