// Retries with growing pauses: an upstream that restarts is waited for, and clients notice a delay, not an error.
import { parseArgs, Server } from '@cirque/core';
import type { CirqueError } from '@cirque/error';
import { HttpPeer, type Peer } from '@cirque/pool';
import { httpProxyService, ProxyHttp, type Session } from '@cirque/proxy';
import { sleep } from '@cirque/timeout';
import { bundled } from '@cirque-example/origins';
import { REFUSALS, restartingOrigin } from './origin.ts';

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 10_000;
const MAX_TRIES = 8;

interface Ctx {
  /** Connections that could not be established so far. */
  tries: number;
}

class Patient extends ProxyHttp<Ctx> {
  readonly #peer: HttpPeer;
  // Tells the bundled origin, which may be in another thread, that it was missed.
  readonly #refusals = new BroadcastChannel(REFUSALS);

  constructor(address: string) {
    super();
    this.#peer = new HttpPeer(address, { connectionTimeoutMs: 400 });
  }

  override newCtx(): Ctx {
    return { tries: 0 };
  }

  // Phases may be asynchronous: this one waits before every attempt but the first.
  // When the client leaves, `session.signal` ends the wait, so nobody waits for a client that is gone.
  override async upstreamPeer(session: Session, ctx: Ctx): Promise<HttpPeer> {
    if (ctx.tries > 0) {
      const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** (ctx.tries - 1), LONGEST_PAUSE_MS);
      console.log(`try ${ctx.tries} failed, next one in ${pauseMs} ms`);
      await sleep(pauseMs, { signal: session.signal });
    }
    return this.#peer;
  }

  override failToConnect(_session: Session, _peer: HttpPeer | Peer, ctx: Ctx, error: CirqueError): CirqueError {
    ctx.tries += 1;
    this.#refusals.postMessage(ctx.tries);
    return error.setRetry(ctx.tries < MAX_TRIES);
  }
}

const args = parseArgs({
  name: 'backoff-retry',
  description: 'Waits for an upstream that restarts.',
  options: {
    listen: { type: 'string', default: '127.0.0.1:6193', valueName: 'ADDRESS', help: 'where the proxy listens' },
  },
});
const server = new Server(args);
server.bootstrap();

const origin = await bundled(server, restartingOrigin);
const proxy = httpProxyService(server.configuration, new Patient(origin.address));
proxy.addTcp(args.values.listen);
server.addService(proxy);
server.onPhase((phase) => {
  if (phase === 'Running') console.log(`listening on ${proxy.endpoints[0]?.text}`);
});
await server.runForever();
