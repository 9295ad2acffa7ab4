/**
 * What phases cost: absent, synchronous, asynchronous. First the driver alone, between sessions that do nothing; then
 * whole exchanges through streams in memory, codec and all.
 *
 * The sources are loaded by Node itself: through vitest's module runner every call to another file costs more.
 */
import { createRequire } from 'node:module';
import type { ServerSession, ServerSessionHandler } from '@cirque/core';
import type { ClientSession, ClientSessionHandler, HttpConnector } from '@cirque/pool';
import { test } from 'vitest';
import type { ProxyPhases } from '../src/proxy-http.ts';

const load = createRequire(import.meta.url);
const { HttpProxy, defineProxy } = load('../src/index.ts') as typeof import('../src/index.ts');
const { createTestProxy } = load('../src/testing.ts') as typeof import('../src/testing.ts');
const { HeaderMap, RequestHeader, ResponseHeader } = load('@cirque/http') as typeof import('@cirque/http');
const { HttpPeer } = load('@cirque/pool') as typeof import('@cirque/pool');

const short = { time: 300, warmupTime: 100 };
const ROUNDS = 1_000;
const peer = new HttpPeer('127.0.0.1:9000');
const body = Buffer.alloc(1_024);
const none = { close: false, keepAlive: false, upgrade: false, te: false, nominated: undefined, problem: undefined };
const fields = 'Host: a\r\nAccept: */*\r\nUser-Agent: bench\r\nCookie: a=b\r\nReferer: http://a/\r\n';
const requestHead = new RequestHeader('GET', '/', HeaderMap.fromBlock(fields, [], -1));
const responseHead = new ResponseHeader(200, HeaderMap.fromBlock('Content-Length: 1024\r\nETag: "x"\r\n', [], 1_024));

const digest = { establishedAt: 0, socket: {} };

/** An upstream that answers at once: head, body, end, as far as it is not paused. */
class Upstream {
  handler!: ClientSessionHandler;
  digest = digest;
  reused = true;
  responseStarted = false;
  bodyBytesSent = 0;
  bodyBytesReceived = 0;
  #step = 0;
  #paused = false;

  writeHead(): void {
    this.#step = 0;
    this.#go();
  }
  pause(): void {
    this.#paused = true;
  }
  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#go();
  }
  writeBody(): boolean {
    return true;
  }
  end(): void {}
  flush(): void {}
  release(): void {}
  abort(): void {}

  #go(): void {
    while (!this.#paused && this.#step < 3) {
      this.#step += 1;
      if (this.#step === 1) this.handler.onResponseHead(responseHead.clone(), body.length, none);
      else if (this.#step === 2) this.handler.onResponseBody(body, 0, body.length, undefined);
      else this.handler.onResponseEnd(undefined);
    }
  }
}
const connector = { getSession: () => new Upstream() as unknown as ClientSession } as unknown as HttpConnector;

/** A client that takes everything. */
class Client {
  handler: ServerSessionHandler | undefined;
  requestHeader = requestHead.clone();
  bodyLength = 0;
  connectionOptions = none;
  target = undefined;
  expectContinue = false;
  digest = digest;
  requestNumber = 1;
  connectionContext = undefined;
  writable = true;
  responseStarted = false;
  responseEnded = false;
  bodyBytesReceived = 0;
  bodyBytesSent = 0;
  requestComplete = true;
  shuttingDown = false;
  readonly #finished: () => void;

  constructor(finished: () => void) {
    this.#finished = finished;
  }

  writeHead(): void {
    this.responseStarted = true;
  }
  writeBody(): boolean {
    return true;
  }
  writeEnd(): void {
    this.responseEnded = true;
  }
  finish(): void {
    this.#finished();
  }
  pause(): void {}
  resume(): void {}
  flush(): void {}
  abort(): void {}
  disableKeepAlive(): void {}
}

/** A thousand requests, one after another; resolves when the last one is over. */
function thousand(phases: ProxyPhases<undefined>): () => Promise<void> {
  const proxy = new HttpProxy(phases, {}, { connector });
  return () =>
    new Promise((resolve) => {
      let left = ROUNDS;
      let deep = false;
      let again = false;
      // A loop, so that synchronous exchanges do not deepen the stack.
      const next = (): void => {
        again = true;
        if (deep) return;
        deep = true;
        while (again) {
          again = false;
          left -= 1;
          if (left < 0) resolve();
          else proxy.processNewHttp(new Client(next) as unknown as ServerSession);
        }
        deep = false;
      };
      next();
    });
}

const upstreamPeer = (): InstanceType<typeof HttpPeer> => peer;
const heads = {
  earlyRequestFilter: (session) => session.requestHeader.insertHeader('X-One', '1'),
  requestFilter: (session) => session.requestHeader.insertHeader('X-Two', '2'),
  upstreamRequestFilter: (_session, head) => head.insertHeader('X-Three', '3'),
  upstreamResponseFilter: (_session, head) => head.insertHeader('X-Four', '4'),
  responseFilter: (_session, head) => head.insertHeader('X-Five', '5'),
} satisfies Partial<ProxyPhases<undefined>>;
const empty = {
  earlyRequestFilter() {},
  requestFilter: () => false,
  upstreamRequestFilter() {},
  upstreamResponseFilter() {},
  responseFilter() {},
} satisfies Partial<ProxyPhases<undefined>>;
const later = {
  async earlyRequestFilter() {},
  requestFilter: async () => false,
  async upstreamRequestFilter() {},
  async upstreamResponseFilter() {},
  async responseFilter() {},
} satisfies Partial<ProxyPhases<undefined>>;

const variants: readonly [string, ProxyPhases<undefined>][] = [
  ['upstreamPeer only', defineProxy({ upstreamPeer })],
  ['and five synchronous phases that do nothing', defineProxy({ upstreamPeer, ...empty })],
  ['and five synchronous phases that set a field', defineProxy({ upstreamPeer, ...heads })],
  ['and five asynchronous phases', defineProxy({ upstreamPeer, ...later })],
  ['and a synchronous body filter', defineProxy({ upstreamPeer, responseBodyFilter: () => undefined })],
  ['and an asynchronous body filter', defineProxy({ upstreamPeer, responseBodyFilter: async () => undefined })],
  ['and logging', defineProxy({ upstreamPeer, logging() {} })],
];

test('1,000 requests through the driver alone', async ({ bench }) => {
  await bench.compare(...variants.map(([name, phases]) => bench(name, thousand(phases))), short);
});

test('100 exchanges through streams in memory', async ({ bench }) => {
  const proxies = variants.map(([name, phases]) => {
    const proxy = createTestProxy(phases, { upstream: () => ({ body }) });
    return { name, proxy, client: proxy.connect() };
  });
  const hundred = (client: (typeof proxies)[number]['client']) => async (): Promise<void> => {
    for (let n = 0; n < 100; n += 1) {
      const response = client.response();
      await client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      await response;
    }
  };
  await bench.compare(...proxies.map(({ name, client }) => bench(name, hundred(client))), short);
  for (const { proxy } of proxies) await proxy.close();
});
