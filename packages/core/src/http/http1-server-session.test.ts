/** One connection in memory, time driven by hand. What only real sockets show: test/slow-reader.test.ts. */
import type { Duplex } from 'node:stream';
import { CirqueError } from '@cirque/error';
import { HeaderMap, ResponseHeader } from '@cirque/http';
import { duplexPair, FakeClock } from '@cirque/testing';
import { TimerWheel } from '@cirque/timeout';
import { Stream } from '@cirque/transport';
import { afterEach, describe, expect, test } from 'vitest';
import { errorResponse } from './error-response.ts';
import { type HttpServerOptions, requestRules, resolveHttpServerOptions } from './http-server-options.ts';
import { Http1ServerSession, type RequestReceiver } from './http1-server-session.ts';
import type { ServerSession } from './server-session.ts';

const sites: Site[] = [];
afterEach(() => {
  for (const site of sites.splice(0)) site.close();
});

/** A server connection, its application and its client. */
class Site implements RequestReceiver {
  readonly clock = new FakeClock();
  readonly wheel = new TimerWheel({ clock: this.clock });
  readonly client: Duplex;
  readonly server: Duplex;
  readonly session: Http1ServerSession;
  /** What the application was told, in order. */
  readonly events: string[] = [];
  readonly refused: (readonly [string, number])[] = [];
  bodyBytes = 0;
  received = '';
  ended = false;
  wasReset = false;
  readonly #process: (session: ServerSession, site: Site) => void;

  constructor(process: (session: ServerSession, site: Site) => void, options: HttpServerOptions = {}) {
    this.#process = process;
    this.clock.onAdvance(() => this.wheel.advance());
    [this.client, this.server] = duplexPair({ highWaterMark: 16_384 });
    // As a socket has it: the other side sees an error instead of an end.
    Object.assign(this.server, { resetAndDestroy: () => this.server.destroy(new Error('reset')) });
    this.client.on('data', (chunk: Buffer) => {
      this.received += chunk.toString('latin1');
    });
    this.client.on('end', () => {
      this.ended = true;
    });
    this.client.on('error', (error: NodeJS.ErrnoException) => {
      this.wasReset = error.code === 'ECONNRESET';
    });
    const resolved = resolveHttpServerOptions(options);
    const stream = new Stream(this.server, 'Downstream');
    this.session = new Http1ServerSession(stream, this, resolved, requestRules(resolved), this.wheel);
    this.session.start();
    sites.push(this);
  }

  processNewHttp(session: ServerSession): void {
    this.events.push(`${session.requestHeader.method} ${session.requestHeader.target}`);
    session.handler = {
      onRequestBody: (buffer, start, end) => {
        this.bodyBytes += end - start;
        this.events.push(`body ${end - start <= 16 ? buffer.toString('latin1', start, end) : end - start}`);
      },
      onRequestEnd: () => this.events.push('end'),
      onDownstreamDrain: () => this.events.push('drain'),
      onDownstreamError: (error) => this.events.push(`error ${error.type}`),
    };
    this.#process(session, this);
  }

  refusedRequest(error: CirqueError, status: number): void {
    this.refused.push([error.type, status]);
  }

  async send(text: string): Promise<void> {
    this.client.write(text, 'latin1');
    await settle();
  }

  /** Moves time on and lets what it set off happen. */
  async pass(ms: number): Promise<void> {
    this.clock.advance(ms, 20);
    await settle();
  }

  get statuses(): string[] {
    return [...this.received.matchAll(/HTTP\/1\.1 (\d{3})/g)].map((match) => match[1] as string);
  }

  close(): void {
    this.client.destroy();
    this.server.destroy();
  }
}

async function settle(turns: number = 12): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
}

function begin(session: ServerSession, length: number | undefined): void {
  const fields = length === undefined ? [] : [['Content-Length', String(length)] as const];
  session.writeHead(new ResponseHeader(200, HeaderMap.from(fields)), false);
}

function piece(session: ServerSession, text: string): void {
  const bytes = Buffer.from(text, 'latin1');
  session.writeBody(bytes, 0, bytes.length, undefined);
}

/** Answers with the request target. */
function answer(session: ServerSession): void {
  const text = session.requestHeader.target;
  begin(session, text.length);
  piece(session, text);
  session.end();
}

const later = (): void => undefined;
const get = (target: string, version = '1.1'): string => `GET ${target} HTTP/${version}\r\nHost: a\r\n\r\n`;
const post = (length: number): string => `POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n\r\n`;
const CHUNKED_POST = 'POST /p HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n';

describe('Http1ServerSession times', () => {
  test('Http1ServerSession closes silently when no byte comes', async () => {
    const site = new Site(answer, { headTimeoutMs: 1_000 });
    await site.pass(980);
    expect(site.server.destroyed).toBe(false);
    await site.pass(60);
    expect([site.server.destroyed, site.ended, site.received, site.refused]).toEqual([true, true, '', []]);
  });

  test('Http1ServerSession answers 408 to a head that drips', async () => {
    const site = new Site(answer, { headTimeoutMs: 1_000 });
    for (const part of ['GET / HT', 'TP/1.1\r\n', 'Host: a\r\n']) {
      await site.send(part);
      await site.pass(320);
    }
    expect(site.received).toBe('');
    await site.pass(80);
    expect([site.statuses, site.refused, site.events]).toEqual([['408'], [['ReadTimedout', 408]], []]);
    expect(site.received).toContain('Connection: close\r\n');
    expect(site.ended).toBe(true);
  });

  test('Http1ServerSession answers 408 to a later head that does not end', async () => {
    const site = new Site(answer, { headTimeoutMs: 1_000 });
    await site.send(`${get('/1')}GET /2 HTTP`);
    await site.pass(1_060);
    expect([site.statuses, site.ended]).toEqual([['200', '408'], true]);
  });

  test('Http1ServerSession closes an idle connection silently', async () => {
    const site = new Site(answer, { idleTimeoutMs: 2_000, headTimeoutMs: 1_000 });
    await site.send(get('/1'));
    await site.pass(1_900);
    await site.send(get('/2'));
    await site.pass(1_900);
    expect([site.statuses, site.ended]).toEqual([['200', '200'], false]);
    await site.pass(160);
    expect([site.statuses, site.ended, site.refused]).toEqual([['200', '200'], true, []]);
  });

  test('Http1ServerSession reports a body that stalls; the answer is still possible', async () => {
    const site = new Site(later, { readTimeoutMs: 1_000 });
    await site.send(`${post(10)}abc`);
    await site.pass(900);
    await site.send('def');
    await site.pass(900);
    expect(site.events).toEqual(['POST /p', 'body abc', 'body def']);
    await site.pass(160);
    expect(site.events.slice(3)).toEqual(['error ReadTimedout']);
    expect(site.session.writable).toBe(true);
    site.session.writeHead(errorResponse(408), true);
    site.session.end();
    await settle();
    expect([site.statuses, site.ended]).toEqual([['408'], true]);
  });

  test('Http1ServerSession does not blame the client for a body that the application has paused', async () => {
    const site = new Site((session) => session.pause(), { readTimeoutMs: 1_000 });
    await site.send(`${post(10)}abc`);
    await site.pass(5_000);
    expect(site.events).toEqual(['POST /p']);
    site.session.resume();
    await site.pass(1_060);
    expect(site.events).toEqual(['POST /p', 'body abc', 'error ReadTimedout']);
  });

  test('Http1ServerSession cuts a client that takes nothing', async () => {
    const site = new Site(later, { writeTimeoutMs: 1_000 });
    site.client.pause();
    await site.send(get('/'));
    begin(site.session, undefined);
    piece(site.session, 'x'.repeat(200_000));
    await site.pass(900);
    expect([site.events, site.server.destroyed]).toEqual([['GET /'], false]);
    await site.pass(2_200);
    expect(site.events).toEqual(['GET /', 'error WriteTimedout']);
    expect([site.server.destroyed, site.session.writable]).toEqual([true, false]);
  });

  test('Http1ServerSession waits for ever where the times are 0', async () => {
    const site = new Site(answer, { headTimeoutMs: 0, idleTimeoutMs: 0 });
    await site.pass(300_000);
    await site.send('GET / HTTP/1.1\r\n');
    await site.pass(300_000);
    await site.send('Host: a\r\n\r\n');
    await site.pass(300_000);
    expect([site.statuses, site.ended, site.server.destroyed]).toEqual([['200'], false, false]);
  });

  test('Http1ServerSession leaves no timer behind', async () => {
    const site = new Site(answer);
    await site.send(get('/'));
    expect(site.wheel.size).toBe(1);
    site.client.destroy(new Error('reset'));
    await settle();
    expect([site.server.destroyed, site.wheel.size]).toEqual([true, 0]);
  });
});

describe('Http1ServerSession requests in a row', () => {
  test('Http1ServerSession answers 1,000 requests of one read at once, in order', async () => {
    const site = new Site(answer);
    const targets = Array.from({ length: 1_000 }, (_, index) => `/${index}`);
    await site.send(targets.map((target) => get(target)).join(''));
    await expect.poll(() => site.statuses.length).toBe(1_000);
    await settle();
    expect(site.received.match(/\/\d+(?=HTTP|$)/g)).toEqual(targets);
    expect(site.session.requestNumber).toBe(1_000);
  });

  test('Http1ServerSession gives out the next request when the one before is finished, not earlier', async () => {
    const site = new Site(later);
    await site.send(get('/1') + get('/2') + get('/3'));
    expect(site.events).toEqual(['GET /1']);
    begin(site.session, 0);
    site.session.writeEnd();
    await settle();
    expect(site.events).toEqual(['GET /1']);
    site.session.finish();
    expect(site.events).toEqual(['GET /1', 'GET /2']);
    answer(site.session);
    expect(site.events).toEqual(['GET /1', 'GET /2', 'GET /3']);
  });

  test('Http1ServerSession answers 1,000 requests that had to wait, in order', async () => {
    const site = new Site((session) => {
      if (session.requestNumber > 1) answer(session);
    });
    const targets = Array.from({ length: 1_001 }, (_, index) => `/${index}`);
    await site.send(targets.map((target) => get(target)).join(''));
    expect(site.events).toEqual(['GET /0']);
    answer(site.session);
    await expect.poll(() => site.statuses.length).toBe(1_001);
    await settle();
    expect(site.received.match(/\/\d+(?=HTTP|$)/g)).toEqual(targets);
  });

  test('Http1ServerSession closes after keepaliveRequestLimit requests', async () => {
    const site = new Site(answer, { keepaliveRequestLimit: 2 });
    await site.send(get('/1') + get('/2') + get('/3'));
    expect(site.events).toEqual(['GET /1', 'GET /2']);
    expect(site.received.match(/Connection: close/g)).toHaveLength(1);
    expect(site.received.indexOf('Connection: close')).toBeGreaterThan(site.received.indexOf('/1'));
    expect(site.ended).toBe(true);
  });

  test('Http1ServerSession keeps connectionContext for the connection, and counts its requests', async () => {
    const seen: unknown[] = [];
    const site = new Site((session) => {
      seen.push([session.requestNumber, session.connectionContext]);
      session.connectionContext = session.requestHeader.target;
      answer(session);
    });
    await site.send(get('/1'));
    await site.send(get('/2') + get('/3'));
    expect(seen).toEqual([
      [1, undefined],
      [2, '/1'],
      [3, '/2'],
    ]);
  });

  test('Http1ServerSession counts payload bytes of each request', async () => {
    const site = new Site(later);
    await site.send(`${CHUNKED_POST}5\r\nhello\r\n3;x=y\r\nabc\r\n`);
    expect([site.session.bodyLength, site.session.bodyBytesReceived]).toEqual([undefined, 8]);
    expect(site.session.requestComplete).toBe(false);
    await site.send('0\r\n\r\n');
    expect(site.session.requestComplete).toBe(true);
    begin(site.session, undefined);
    piece(site.session, 'hi');
    piece(site.session, 'there');
    expect(site.session.bodyBytesSent).toBe(7);
    site.session.end();
    await site.send(`${post(2)}`);
    const { bodyLength, bodyBytesReceived, bodyBytesSent } = site.session;
    expect([bodyLength, bodyBytesReceived, bodyBytesSent]).toEqual([2, 0, 0]);
  });
});

describe('Http1ServerSession pause', () => {
  test.each([
    ['a length', `${post(6)}abc`, 'def'],
    ['chunks', `${CHUNKED_POST}3\r\nabc\r\n`, '3\r\ndef\r\n0\r\n\r\n'],
  ])('Http1ServerSession reports nothing while paused, the end included: %s', async (_, first, rest) => {
    const site = new Site(later);
    await site.send(first);
    site.session.pause();
    await site.send(rest);
    expect(site.events).toEqual(['POST /p', 'body abc']);
    site.session.resume();
    expect(site.events).toEqual(['POST /p', 'body abc', 'body def', 'end']);
  });

  test('Http1ServerSession stops inside one read, between two chunks and before the end', async () => {
    const site = new Site((session, { events }) => {
      const { handler } = session;
      session.handler = {
        ...handler,
        onRequestBody(buffer, start, end) {
          handler.onRequestBody(buffer, start, end);
          session.pause();
          events.push('paused');
        },
      };
    });
    await site.send(`${CHUNKED_POST}1\r\na\r\n1\r\nb\r\n0\r\n\r\n`);
    expect(site.events).toEqual(['POST /p', 'body a', 'paused']);
    site.session.resume();
    expect(site.events.slice(3)).toEqual(['body b', 'paused']);
    site.session.resume();
    expect(site.events.slice(5)).toEqual(['end']);
  });

  test('Http1ServerSession may be paused and resumed inside a piece: the flush still comes after the last one', async () => {
    const site = new Site((session, { events }) => {
      const { handler } = session;
      session.handler = {
        ...handler,
        onRequestBody(buffer, start, end) {
          handler.onRequestBody(buffer, start, end);
          session.pause();
          session.resume();
        },
        onDownstreamFlush: () => events.push('flush'),
      };
    });
    await site.send(`${CHUNKED_POST}1\r\na\r\n1\r\nb\r\n`);
    expect(site.events.slice(0, 4)).toEqual(['POST /p', 'body a', 'body b', 'flush']);
  });

  test('Http1ServerSession holds 64 KiB while paused, then the client waits', async () => {
    const site = new Site((session) => session.pause());
    const total = 1_048_576;
    site.client.write(post(total));
    for (let sent = 0; sent < total; sent += 8_192) site.client.write(Buffer.alloc(8_192, 'x'));
    await settle(300);
    expect([site.server.isPaused(), site.bodyBytes]).toEqual([true, 0]);
    // What is held here, and what either side of the pair buffers.
    expect(site.client.writableLength).toBeGreaterThan(total - 65_536 - 3 * 16_384);
    expect(site.client.writableLength).toBeLessThan(total - 65_536);
    site.session.resume();
    await expect.poll(() => site.bodyBytes).toBe(total);
    expect([site.server.isPaused(), site.events.at(-1)]).toEqual([false, 'end']);
  });
});

describe('Http1ServerSession and clients that leave', () => {
  test('Http1ServerSession gives a request up when the client half-closes', async () => {
    const site = new Site(later);
    await site.send(get('/'));
    site.client.end();
    await settle();
    expect(site.events).toEqual(['GET /', 'error ConnectionClosed']);
    expect([site.session.writable, site.server.destroyed]).toEqual([false, true]);
  });

  test('Http1ServerSession answers a client that half-closes with abortOnClose off, as the last one', async () => {
    const site = new Site(later, { abortOnClose: false });
    await site.send(get('/'));
    site.client.end();
    await settle();
    expect([site.events, site.session.writable]).toEqual([['GET /'], true]);
    answer(site.session);
    await settle();
    expect(site.received).toMatch(/Connection: close\r\n\r\n\/$/);
    expect([site.ended, site.server.destroyed]).toEqual([true, true]);
  });

  test('Http1ServerSession gives up a body that was cut by a half-close, abortOnClose or not', async () => {
    const site = new Site(later, { abortOnClose: false });
    await site.send(`${post(10)}abc`);
    site.client.end();
    await settle();
    expect(site.events).toEqual(['POST /p', 'body abc', 'error ConnectionClosed']);
    expect(site.server.destroyed).toBe(true);
  });

  test.each([
    ['before the first byte', '', 0],
    ['inside a head', 'GET / HT', 0],
    ['inside a body', `${post(10)}abc`, 1],
    ['before the response', get('/wait'), 1],
    ['inside the response', get('/begin'), 1],
    ['between requests', get('/done'), 0],
  ])('Http1ServerSession ends on a reset %s', async (_, sent, errors) => {
    const site = new Site((session) => {
      if (session.requestHeader.target === '/begin') begin(session, 10);
      if (session.requestHeader.target === '/done') answer(session);
    });
    if (sent !== '') await site.send(sent);
    site.client.destroy(new Error('reset'));
    await settle();
    expect(site.events.filter((event) => event.startsWith('error'))).toHaveLength(errors);
    expect([site.server.destroyed, site.session.writable, site.wheel.size]).toEqual([true, false, 0]);
    // What an application that was not fast enough still does.
    site.session.flush();
    site.session.end();
    await site.pass(100_000);
    expect(site.events.filter((event) => event.startsWith('error'))).toHaveLength(errors);
    expect(site.refused).toEqual([]);
  });
});

describe('Http1ServerSession refuses', () => {
  test.each([
    ['a line without a method', 400, ' / HTTP/1.1\r\n'],
    ['no Host', 400, 'GET / HTTP/1.1\r\n\r\n'],
    ['two framings', 400, `${post(1).trimEnd()}\r\nTransfer-Encoding: chunked\r\n\r\n`],
    ['a target that is too long', 414, get(`/${'x'.repeat(17_000)}`)],
    ['an unknown expectation', 417, 'GET / HTTP/1.1\r\nHost: a\r\nExpect: tea\r\n\r\n'],
    ['fields that are too large', 431, `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(70_000)}\r\n\r\n`],
    ['an unknown coding', 501, 'GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n'],
    ['an unknown version', 505, get('/', '2.0')],
  ])('Http1ServerSession refuses %s with %i, then closes', async (_, status, head) => {
    const site = new Site(answer);
    await site.send(head + get('/never'));
    expect(site.refused).toEqual([['InvalidHTTPHeader', status]]);
    expect([site.statuses, site.events, site.ended]).toEqual([[String(status)], [], true]);
    expect(site.received).toContain('Connection: close\r\n');
  });

  test('Http1ServerSession refuses a bad head in its turn', async () => {
    const site = new Site(later);
    await site.send(`${get('/1')} bad\r\n`);
    expect([site.received, site.refused]).toEqual(['', []]);
    answer(site.session);
    await settle();
    expect([site.statuses, site.refused.length]).toEqual([['200', '400'], 1]);
  });

  test('Http1ServerSession reports a bad chunk to the owner of the request, who can answer', async () => {
    const site = new Site(later);
    await site.send(`${CHUNKED_POST}zz\r\n`);
    expect([site.events, site.refused]).toEqual([['POST /p', 'error InvalidChunk'], []]);
    site.session.writeHead(errorResponse(400), true);
    site.session.end();
    await settle();
    expect([site.statuses, site.ended]).toEqual([['400'], true]);
  });
});

describe('Http1ServerSession closes', () => {
  test('Http1ServerSession closes after an answer that came before the body, and lets the client finish', async () => {
    const site = new Site(answer);
    await site.send(`${post(2_000_000)}abc`);
    expect(site.received).toContain('Connection: close\r\n');
    expect([site.ended, site.server.destroyed]).toEqual([true, false]);
    await site.send('x'.repeat(100_000) + get('/never'));
    expect([site.events, site.server.destroyed]).toEqual([['POST /p'], false]);
    await site.pass(1_060);
    expect([site.server.destroyed, site.wheel.size]).toEqual([true, 0]);
  });

  test('Http1ServerSession does not linger for more than 1 MiB', async () => {
    const site = new Site(answer);
    await site.send(post(5_000_000));
    await site.send('x'.repeat(1_048_576));
    expect(site.server.destroyed).toBe(false);
    await site.send('x');
    expect(site.server.destroyed).toBe(true);
  });

  test('Http1ServerSession.disableKeepAlive closes after this response', async () => {
    const site = new Site((session) => {
      session.disableKeepAlive();
      answer(session);
    });
    await site.send(get('/1') + get('/2'));
    expect([site.events, site.ended]).toEqual([['GET /1'], true]);
    expect(site.received).toContain('Connection: close\r\n');
  });

  test.each([
    ['without a byte', ''],
    ['between requests', get('/1')],
  ])('Http1ServerSession.shutdown closes %s, after two seconds', async (_, sent) => {
    const site = new Site(answer);
    if (sent !== '') await site.send(sent);
    site.session.shutdown();
    await site.pass(1_940);
    expect(site.server.destroyed).toBe(false);
    await site.pass(120);
    expect([site.server.destroyed, site.ended]).toEqual([true, true]);
  });

  test('Http1ServerSession.shutdown keeps an idle connection for no longer than it would have been kept', async () => {
    const site = new Site(answer, { idleTimeoutMs: 500 });
    await site.send(get('/1'));
    site.session.shutdown();
    await site.pass(440);
    expect(site.server.destroyed).toBe(false);
    await site.pass(120);
    expect([site.server.destroyed, site.ended]).toEqual([true, true]);
  });

  test('Http1ServerSession.shutdown leaves a head that has begun its time', async () => {
    const site = new Site(answer, { headTimeoutMs: 5_000 });
    await site.send('GET /slow HT');
    site.session.shutdown();
    await site.pass(4_900);
    await site.send('TP/1.1\r\nHost: a\r\n\r\n');
    expect(site.received).toMatch(/Connection: close\r\n\r\n\/slow$/);
  });

  test('Http1ServerSession.shutdown still answers the request that was on the wire', async () => {
    const site = new Site(answer);
    site.session.shutdown();
    await site.send(get('/1') + get('/2'));
    expect(site.events).toEqual(['GET /1']);
    expect(site.received).toMatch(/Connection: close\r\n\r\n\/1$/);
    expect(site.ended).toBe(true);
  });

  test('Http1ServerSession.shutdown before the head makes this response the last', async () => {
    const site = new Site(later);
    await site.send(get('/1'));
    site.session.shutdown();
    await site.pass(5_000);
    answer(site.session);
    await settle();
    expect(site.received).toMatch(/Connection: close\r\n\r\n\/1$/);
    expect(site.ended).toBe(true);
  });

  test('Http1ServerSession.shutdown inside a response lets it end, then closes', async () => {
    const site = new Site(later);
    await site.send(get('/1'));
    begin(site.session, 2);
    site.session.flush();
    site.session.shutdown();
    await site.pass(5_000);
    piece(site.session, 'ok');
    site.session.end();
    await settle();
    expect(site.received).toMatch(/\r\n\r\nok$/);
    await site.pass(2_060);
    expect([site.ended, site.server.destroyed]).toEqual([true, true]);
  });
});

describe('Http1ServerSession.abort', () => {
  const failure = (): CirqueError => CirqueError.internal('InternalError', 'the upstream left');

  test.each([
    ['without the last chunk', undefined, '5\r\nhello\r\n'],
    ['short of its length', 10, 'hello'],
  ])('Http1ServerSession.abort ends the response %s', async (_, length, body) => {
    const site = new Site(later);
    await site.send(get('/'));
    begin(site.session, length);
    piece(site.session, 'hello');
    site.session.abort(failure());
    await settle();
    expect(site.received.slice(site.received.indexOf('\r\n\r\n') + 4)).toBe(body);
    expect([site.ended, site.wasReset]).toEqual([true, false]);
    await site.send(get('/never'));
    expect(site.events).toEqual(['GET /']);
    await site.pass(1_060);
    expect(site.server.destroyed).toBe(true);
  });

  test('Http1ServerSession.abort resets where the close would end the body', async () => {
    const site = new Site(later);
    await site.send(get('/', '1.0'));
    begin(site.session, undefined);
    piece(site.session, 'hello');
    site.session.flush();
    await settle();
    site.session.abort(failure());
    await settle();
    expect([site.wasReset, site.ended, site.server.destroyed]).toEqual([true, false, true]);
    expect(site.events).toEqual(['GET /']);
  });

  test('Http1ServerSession.abort before the head closes without an answer', async () => {
    const site = new Site(later);
    await site.send(get('/') + get('/never'));
    site.session.abort(failure());
    await settle();
    expect([site.received, site.ended, site.events]).toEqual(['', true, ['GET /']]);
  });
});
