/** Many requests that end in many ways, on a few connections: each ends, and nothing is left. */
import type { ClientHttp2Session } from 'node:http2';
import { CirqueError } from '@cirque/error';
import { HeaderMap, ResponseHeader } from '@cirque/http';
import { LeakCheck, SeededRandom } from '@cirque/testing';
import { expect, test } from 'vitest';
import type { ServerSession } from '../src/index.ts';
import { Http2Site } from './http2-site.ts';

const KINDS = ['whole', 'echo', 'large', 'early', 'abort', 'trailers', 'empty', 'slow'] as const;

/** Takes each request to its end in the way that its path asks for; counts those under way. */
class Application {
  active = 0;
  readonly #finished = new WeakSet<ServerSession>();

  process(session: ServerSession): void {
    this.active += 1;
    const kind = session.requestHeader.target.slice(1) as (typeof KINDS)[number];
    const over = (): void => {
      if (this.#finished.has(session)) return;
      this.#finished.add(session);
      this.active -= 1;
    };
    const end = (trailers?: HeaderMap): void => {
      session.end(trailers);
      over();
    };
    const write = (body: Buffer): boolean => session.writeBody(body, 0, body.length, undefined);
    let chunks = 12;
    const pump = (): void => {
      while (chunks > 0) {
        chunks -= 1;
        if (!write(Buffer.alloc(20_000, 'y'))) return;
      }
      end();
    };
    session.handler = {
      onRequestBody: (buffer, from, to) => {
        if (kind === 'echo' && !session.writeBody(buffer, from, to, undefined)) session.pause();
      },
      onRequestEnd: () => {
        if (kind === 'echo') end();
      },
      onDownstreamDrain: () => {
        if (kind === 'echo') session.resume();
        else if (kind === 'large') pump();
      },
      onDownstreamError: (error) => {
        if (this.#finished.has(session)) return;
        session.abort(error);
        over();
      },
    };
    session.writeHead(new ResponseHeader(200), kind === 'empty');
    if (kind === 'large') pump();
    else if (kind === 'echo') {
      if (session.bodyLength === 0) end();
    } else if (kind === 'abort') {
      session.abort(CirqueError.internal('InternalError', 'wanted'));
      over();
    } else if (kind === 'slow') {
      setTimeout(() => {
        if (!this.#finished.has(session)) end();
      }, 5);
    } else {
      if (kind !== 'empty') write(Buffer.from('whole'));
      end(kind === 'trailers' ? HeaderMap.from({ 'x-sum': '1' }) : undefined);
    }
  }
}

/** One request; `cancelAfterMs` -1: never. Resolves when its stream is closed. */
function request(client: ClientHttp2Session, kind: string, bodyBytes: number, cancelAfterMs: number): Promise<string> {
  return new Promise((resolve) => {
    const method = bodyBytes >= 0 ? 'POST' : 'GET';
    const stream = client.request({ ':path': `/${kind}`, ':method': method }, { endStream: bodyBytes < 0 });
    let received = 0;
    let status = 0;
    stream.on('error', () => {});
    stream.on('response', (head) => {
      status = Number(head[':status']);
    });
    stream.on('data', (chunk: Buffer) => {
      received += chunk.length;
    });
    stream.on('close', () => resolve(`${kind} ${status} ${received} ${stream.rstCode}`));
    if (bodyBytes >= 0) stream.end(Buffer.alloc(bodyBytes, 'x'));
    if (cancelAfterMs >= 0) setTimeout(() => stream.close(8), cancelAfterMs);
  });
}

test.each([1, 2, 3])(
  'Http2ServerConnection ends whatever clients and applications do, seed %i',
  async (seed) => {
    const leaks = LeakCheck.start();
    const application = new Application();
    const options = { h2: { maxConcurrentStreams: 1_000, maxResetsPerInterval: 10_000 } };
    const site = await Http2Site.start((session) => application.process(session), options);
    const random = new SeededRandom(seed);
    const clients = await Promise.all([site.client(), site.client()]);
    const expected = new Map<number, string>();
    const requests = Array.from({ length: 400 }, (_, at) => {
      const kind = KINDS[random.int(0, KINDS.length - 1)] as (typeof KINDS)[number];
      const bodyBytes = random.int(0, 2) === 0 ? random.int(0, 100_000) : -1;
      const cancel = random.int(0, 3) === 0 ? random.int(0, 8) : -1;
      const length =
        kind === 'large'
          ? 240_000
          : kind === 'echo'
            ? Math.max(0, bodyBytes)
            : kind === 'slow' || kind === 'empty'
              ? 0
              : 5;
      if (cancel < 0 && kind !== 'abort') expected.set(at, `${kind} 200 ${length} 0`);
      return request(clients[at % 2] as ClientHttp2Session, kind, bodyBytes, cancel);
    });
    const outcomes = await Promise.all(requests);
    for (const [at, outcome] of expected) expect(outcomes[at]).toBe(outcome);
    for (const [at, outcome] of outcomes.entries())
      if (!expected.has(at)) expect(outcome).toMatch(/ [0-9]+ [0-9]+ [028]$/);
    await site.until(() => application.active === 0);
    for (const stream of site.streams) site.app.shutdownConnection(stream);
    await site.until(() => site.streams.every(({ destroyed }) => destroyed));
    await site.close();
    await leaks.assertClean();
  },
  30_000,
);
