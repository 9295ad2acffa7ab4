import type { HeaderMap } from '@cirque/http';
import { HttpPeer } from '@cirque/pool';
import { describe, expect, test } from 'vitest';
import { openProxy, peer } from '../test/open-proxies.ts';
import type { ProxyPhases } from './proxy-http.ts';
import type { UpstreamHandler } from './testing.ts';

type Phases = Partial<ProxyPhases<unknown>>;

/** Shows the head that arrived upstream. */
const showHead: UpstreamHandler = ({ method, target, headers }) => ({
  body: JSON.stringify({ line: `${method} ${target}`, headers: headers.toJSON() }),
});

/** What {@link showHead} has shown. */
function head(response: { text: string }): { line: string; headers: Record<string, string> } {
  return JSON.parse(response.text) as { line: string; headers: Record<string, string> };
}

describe('Exchange: heads', () => {
  test('keep order, case and duplicates of fields in both directions', async () => {
    const proxy = openProxy(
      {},
      {
        upstream: () => ({ raw: 'HTTP/1.1 299 My Reason\r\nx-B: 1\r\nX-a: 2\r\nx-b: 3\r\nContent-Length: 0\r\n\r\n' }),
      },
    );
    const client = proxy.connect();
    const response = client.response();
    await client.send('GET /?q HTTP/1.1\r\nhoST: h\r\nX-One: 1\r\nx-two: 2\r\nX-ONE: 3\r\n\r\n');
    const { status, reason, headers } = await response;
    expect([status, reason]).toEqual([299, 'My Reason']);
    expect([...headers].slice(0, 3)).toEqual([
      ['x-B', '1'],
      ['X-a', '2'],
      ['x-b', '3'],
    ]);
    const [request] = proxy.upstream.requests;
    expect([...(request?.headers ?? [])]).toEqual([
      ['hoST', 'h'],
      ['X-One', '1'],
      ['x-two', '2'],
      ['X-ONE', '3'],
    ]);
  });

  test('lose hop-by-hop and nominated fields on their way to the upstream', async () => {
    const proxy = openProxy({}, { upstream: showHead });
    const hop = {
      Connection: 'keep-alive, X-Secret, upgrade',
      'Keep-Alive': 'timeout=5',
      'Proxy-Connection': 'keep-alive',
      'Proxy-Authorization': 'Basic eA==',
      TE: 'trailers',
      Trailer: 'X-T',
      Upgrade: 'h2c',
      'HTTP2-Settings': 'AAMAAABk',
      'X-Secret': '1',
      'X-Kept': '2',
    };
    const response = await proxy.inject({ headers: hop });
    expect(head(response).headers).toEqual({ host: 'test', 'x-kept': '2' });
  });

  test('lose hop-by-hop and nominated fields on their way to the client', async () => {
    const fields = {
      Connection: 'keep-alive, X-Internal',
      'Keep-Alive': 'timeout=5',
      'Proxy-Authenticate': 'Basic',
      Upgrade: 'h2c',
      'X-Internal': '1',
      'X-Kept': '2',
      Date: 'Sun, 06 Nov 1994 08:49:37 GMT',
    };
    const seen: string[] = [];
    const proxy = openProxy(
      {
        upstreamResponseFilter: (_s, header) => {
          seen.push(...Object.keys(header.headers.toJSON()));
        },
      },
      { upstream: () => ({ headers: fields, body: 'x' }) },
    );
    const { headers } = await proxy.inject();
    expect(headers.toJSON()).toEqual({ 'x-kept': '2', date: fields.Date, 'content-length': '1' });
    expect(seen).toEqual(['x-kept', 'date', 'content-length']);
  });

  test('keep what a phase adds, whatever the client nominates', async () => {
    for (const where of ['requestFilter', 'upstreamRequestFilter'] as const) {
      const set = (map: HeaderMap): void => {
        map.set('X-User', 'nobody');
        map.append('X-Group', 'guests');
      };
      const proxy = openProxy(
        {
          requestFilter: (session) => (where === 'requestFilter' ? set(session.requestHeader.headers) : undefined),
          upstreamRequestFilter: (_s, request) =>
            where === 'upstreamRequestFilter' ? set(request.headers) : undefined,
        },
        { upstream: showHead },
      );
      const nasty = { Connection: 'x-user, x-group', 'X-User': 'nobody', 'X-Group': 'admins' };
      const { headers } = head(await proxy.inject({ headers: nasty }));
      expect(headers, where).toEqual({ host: 'test', 'x-user': 'nobody', 'x-group': 'guests' });
    }
  });

  test('hide nominated fields from the phases as from the upstream', async () => {
    const seen: (string | undefined)[] = [];
    const proxy = openProxy({
      earlyRequestFilter: (session) => {
        seen.push(session.requestHeader.getHeader('authorization'));
      },
    });
    await proxy.inject({ headers: { Connection: 'authorization', Authorization: 'Basic eA==' } });
    expect(seen).toEqual([undefined]);
  });

  test('keep them for a peer whose policy says so', async () => {
    const lenient = new HttpPeer('10.0.0.1:80', { requestPolicy: { stripConnectionNominated: false } });
    const proxy = openProxy({ upstreamPeer: () => lenient }, { upstream: showHead });
    const fields = { Connection: 'x-one', 'X-One': ['1', '2'], 'X-Two': '3' };
    expect(head(await proxy.inject({ headers: fields })).headers).toEqual({
      host: 'test',
      'x-one': ['1', '2'],
      'x-two': '3',
    });
  });

  test.each(['host', 'content-length', 'x-forwarded-for', 'via'])(
    'refuse a nomination of %s with 400',
    async (name) => {
      const proxy = openProxy();
      expect(await proxy.inject({ headers: { Connection: name } })).toMatchObject({
        status: 400,
        connectionClosed: true,
      });
      expect(proxy.upstream.attempts).toEqual([]);
      expect(proxy.phases).toEqual([]);
      expect(proxy.stats).toMatchObject({ requests: 0, refused: 1, active: 0 });
    },
  );
});

describe('Exchange: request targets', () => {
  test('in absolute form reach phases and upstream in origin form, with their authority as Host', async () => {
    const seen: string[] = [];
    const proxy = openProxy(
      {
        earlyRequestFilter: ({ requestHeader }) => {
          seen.push(`${requestHeader.target} ${requestHeader.path} ${requestHeader.getHeader('host')}`);
        },
      },
      { upstream: showHead },
    );
    const response = await proxy.inject({
      target: 'http://real.example:81/a/b?c=d',
      headers: { Host: 'other.example' },
    });
    expect(head(response)).toEqual({ line: 'GET /a/b?c=d', headers: { host: 'real.example:81' } });
    expect(seen).toEqual(['/a/b?c=d /a/b real.example:81']);
    expect(head(await proxy.inject({ target: 'http://real.example' })).line).toBe('GET /');
    expect(head(await proxy.inject({ method: 'OPTIONS', target: 'http://real.example' })).line).toBe('OPTIONS *');
  });

  test('in asterisk form are passed on', async () => {
    const proxy = openProxy({}, { upstream: showHead });
    expect(head(await proxy.inject({ method: 'OPTIONS', target: '*' })).line).toBe('OPTIONS *');
  });

  test('of CONNECT are refused with 405, and no phase is called', async () => {
    const proxy = openProxy();
    const client = proxy.connect();
    const response = client.response('GET');
    await client.send('CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n');
    expect(await response).toMatchObject({ status: 405, connectionClosed: true });
    expect(proxy.phases).toEqual([]);
    expect(client.received.match(/HTTP\/1\.1/g)).toHaveLength(1);
  });
});

describe('Exchange: Max-Forwards', () => {
  test('is counted down for OPTIONS and TRACE, and only for them', async () => {
    const proxy = openProxy({}, { upstream: showHead });
    const send = async (method: string) =>
      head(await proxy.inject({ method, headers: { 'Max-Forwards': '3' } })).headers;
    expect((await send('OPTIONS'))['max-forwards']).toBe('2');
    expect((await send('TRACE'))['max-forwards']).toBe('2');
    expect((await send('GET'))['max-forwards']).toBe('3');
  });

  test('0 is answered here', async () => {
    const proxy = openProxy({}, { upstream: showHead });
    const headers = { 'Max-Forwards': '0', Cookie: 'secret' };
    expect(await proxy.inject({ method: 'OPTIONS', headers })).toMatchObject({ status: 200, text: '' });
    expect(await proxy.inject({ method: 'TRACE', headers })).toMatchObject({ status: 405, text: '' });
    expect(proxy.upstream.attempts).toEqual([]);
  });

  test.each(['x', '', '-1', '1.5', '99999999999999'])('%j is no number, and passed on', async (value) => {
    const proxy = openProxy({}, { upstream: showHead });
    const { headers } = head(await proxy.inject({ method: 'OPTIONS', headers: { 'Max-Forwards': value } }));
    expect(headers['max-forwards']).toBe(value);
  });
});

describe('Exchange: informational responses', () => {
  test('100 to 103 are passed on, through the filters', async () => {
    const seen: number[] = [];
    const proxy = openProxy(
      {
        responseFilter(_session, header) {
          seen.push(header.status);
          if (header.status === 103) header.insertHeader('Link', '</b.css>');
        },
      },
      {
        upstream: () => ({
          informational: [{ status: 102 }, { status: 103, headers: { Link: '</a.css>' } }],
          body: 'ok',
        }),
      },
    );
    const response = await proxy.inject();
    expect(response).toMatchObject({ status: 200, text: 'ok' });
    expect(response.informational.map(({ status, headers }) => [status, headers.get('link')])).toEqual([
      [102, undefined],
      [103, '</b.css>'],
    ]);
    expect(seen).toEqual([102, 103, 200]);
  });

  test('are kept from HTTP/1.0 clients', async () => {
    const proxy = openProxy({}, { upstream: () => ({ informational: [{ status: 103 }], body: 'ok' }) });
    expect(await proxy.inject({ version: '1.0' })).toMatchObject({ status: 200, text: 'ok', informational: [] });
  });

  test.each([
    ['a 101 that nobody asked for', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n'],
    ['a flood of them', 'HTTP/1.1 102 Processing\r\n\r\n'.repeat(21)],
  ])('%s gives 502', async (_what, raw) => {
    const proxy = openProxy({}, { upstream: () => ({ raw }) });
    expect(await proxy.inject()).toMatchObject({ status: 502, connectionClosed: true });
    expect(proxy.stats.upstream.idle).toBe(0);
  });
});

describe('Exchange: Expect: 100-continue', () => {
  const waiting = { method: 'POST', body: 'abc', headers: { Expect: '100-continue' } } as const;

  test('is passed on, and the 100 of the upstream is passed back', async () => {
    const proxy = openProxy(
      {},
      {
        upstream: {
          async early({ connection, headers }) {
            if (headers.has('Expect')) await connection.write('HTTP/1.1 100 Continue\r\n\r\n');
            return undefined;
          },
          respond: ({ body }) => ({ body: `got ${body}` }),
        },
      },
    );
    const client = proxy.connect();
    const response = await client.inject(waiting);
    expect(response).toMatchObject({ status: 200, text: 'got abc', connectionClosed: false });
    expect(response.informational.map(({ status }) => status)).toEqual([100]);
    expect(await client.inject(waiting)).toMatchObject({ status: 200 });
  });

  test('an upstream that never says 100: the client is told to go on after a second', async () => {
    const proxy = openProxy({}, { upstream: ({ body }) => ({ body: `got ${body}` }) });
    const response = proxy.inject(waiting);
    await proxy.clock.advance(999);
    expect(proxy.upstream.requests).toEqual([]);
    await proxy.clock.advance(1);
    const { status, text, informational } = await response;
    expect([status, text, informational.map((one) => one.status)]).toEqual([200, 'got abc', [100]]);
  });

  test('a client that does not wait gets no 100', async () => {
    const proxy = openProxy({}, { upstream: ({ body }) => ({ body: `got ${body}`, delayMs: 3_000 }) });
    const client = proxy.connect();
    const response = client.response('POST');
    await client.send('POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc');
    await proxy.clock.advance(3_000);
    expect(await response).toMatchObject({ status: 200, text: 'got abc', informational: [] });
  });

  test('a final response in the place of 100 ends the matter', async () => {
    const proxy = openProxy({}, { upstream: { early: () => ({ status: 401, body: 'who?' }) } });
    const client = proxy.connect();
    const response = client.response('POST');
    await client.send('POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n');
    await proxy.clock.settle();
    const { status, text, headers, connectionClosed } = await response;
    expect([status, text, headers.get('connection'), connectionClosed]).toEqual([401, 'who?', 'close', true]);
    await proxy.clock.advance(5_000);
    expect(client.received).not.toContain('100 Continue');
    // Its request was never completed, so this connection is of no use any more.
    expect(proxy.stats.upstream).toMatchObject({ idle: 0, active: 0 });
  });

  test('is repeated by another attempt, as long as the body has not come', async () => {
    const proxy = openProxy(
      { errorWhileProxy: (_peer, _session, error) => error.setRetry(true) },
      { upstream: { early: ({ connection }) => (connection.index === 0 ? 'reset' : undefined), respond: showHead } },
    );
    const response = proxy.inject(waiting);
    await proxy.clock.advance(1_000);
    expect(head(await response).headers.expect).toBe('100-continue');
  });

  test('of an HTTP/1.0 client is ignored', async () => {
    const proxy = openProxy({}, { upstream: showHead });
    const client = proxy.connect();
    const response = client.response('POST');
    await client.send('POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc');
    expect(head(await response).headers).toEqual({ host: '10.0.0.1:80', 'content-length': '3' });
  });
});

describe('Exchange: an early response', () => {
  test('reaches the client while its request body is still coming, and closes both connections', async () => {
    const proxy = openProxy({}, { upstream: { early: () => ({ status: 413, body: 'too much' }) } });
    const client = proxy.connect();
    const response = client.response('POST');
    await client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\nsome');
    expect(await response).toMatchObject({ status: 413, text: 'too much', complete: true, connectionClosed: true });
    // What the client still sends is read for a while, so that it gets to see the answer.
    await client.send('x'.repeat(100_000));
    await proxy.clock.settle();
    expect(client.closed).toBe('end');
    await proxy.clock.advance(1_000);
    expect(proxy.stats.upstream).toMatchObject({ idle: 0, active: 0 });
  });

  test('that takes its time lets the request body go on to the upstream', async () => {
    const proxy = openProxy(
      {},
      {
        upstream: {
          async early({ connection }) {
            await connection.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nstart\r\n');
            return undefined;
          },
          respond: ({ body }) => ({ raw: `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n` }),
        },
      },
    );
    const response = await proxy.inject({ method: 'POST', body: [' and', ' all of it'] });
    expect(response).toMatchObject({ status: 200, text: 'start and all of it', complete: true });
  });
});

describe('Exchange: HTTP/1.0 clients', () => {
  test('get Content-Length where there is one, and keep the connection only when they ask', async () => {
    const proxy = openProxy({}, { upstream: () => ({ body: 'abc' }) });
    expect(await proxy.inject({ version: '1.0' })).toMatchObject({
      text: 'abc',
      complete: true,
      connectionClosed: true,
    });
    const client = proxy.connect();
    for (let n = 0; n < 2; n += 1) {
      const response = await client.inject({ version: '1.0', headers: { Connection: 'keep-alive' } });
      expect(response).toMatchObject({ text: 'abc', connectionClosed: false });
      expect(response.headers.get('connection')).toBe('keep-alive');
    }
  });

  test('get a chunked body until the close', async () => {
    const proxy = openProxy({}, { upstream: () => ({ body: ['ab', 'c'] }) });
    const response = await proxy.inject({ version: '1.0', headers: { Connection: 'keep-alive' } });
    expect(response).toMatchObject({ text: 'abc', complete: true, connectionClosed: true });
    expect(response.headers.has('transfer-encoding')).toBe(false);
  });
});

describe('Exchange: HEAD', () => {
  test('has the fields of the response and no body, and the connections go on', async () => {
    const proxy = openProxy(
      {},
      {
        upstream: ({ method }) => ({
          headers: { 'Content-Length': '5' },
          body: 'hello',
          status: method === 'HEAD' ? 200 : 201,
        }),
      },
    );
    const client = proxy.connect();
    const response = await client.inject({ method: 'HEAD' });
    expect(response).toMatchObject({ status: 200, text: '', complete: true, connectionClosed: false });
    expect(response.headers.get('content-length')).toBe('5');
    expect(await client.inject()).toMatchObject({ status: 201, text: 'hello' });
    expect(proxy.upstream.connections).toHaveLength(1);
  });

  test('that is answered with a body costs the upstream its connection, not the client', async () => {
    const proxy = openProxy({}, { upstream: () => ({ raw: 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello' }) });
    const client = proxy.connect();
    expect(await client.inject({ method: 'HEAD' })).toMatchObject({ status: 200, text: '', connectionClosed: false });
    expect(await client.inject()).toMatchObject({ status: 200, text: 'hello' });
    expect(proxy.upstream.connections).toHaveLength(2);
  });
});

describe('Exchange: responses that are none', () => {
  test.each([
    ['a status line without a status', 'HTTP/1.1 OK\r\n\r\n'],
    ['another protocol', 'SSH-2.0-x\r\n'],
    ['a status above 599', 'HTTP/1.1 600 X\r\n\r\n'],
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab'],
    ['a NUL in a value', 'HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\n'],
  ])('%s give 502, and the connection is not used again', async (_what, raw) => {
    const proxy = openProxy({}, { upstream: () => ({ raw }) });
    expect(await proxy.inject()).toMatchObject({ status: 502, connectionClosed: true });
    expect(proxy.upstream.connections[0]?.open).toBe(false);
  });

  test('a second response that nobody asked for never answers the next request', async () => {
    const one = 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n';
    const proxy = openProxy(
      {},
      { upstream: ({ connection }) => ({ raw: connection.index === 0 ? `${one}one${one}bad` : `${one}two` }) },
    );
    const client = proxy.connect();
    expect(await client.inject()).toMatchObject({ text: 'one' });
    expect(await client.inject()).toMatchObject({ text: 'two' });
  });
});

describe('Exchange: a client that breaks the rules in the body', () => {
  test.each([
    ['a chunk without a size', 'x\r\n'],
    ['a chunk that is longer than it says', '1\r\nabc\r\n'],
  ])('%s gives 400 and closes, and nothing of it is a request', async (_what, chunk) => {
    const proxy = openProxy({}, { upstream: () => 'hang' });
    const client = proxy.connect();
    const response = client.response('POST');
    await client.send(
      `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n${chunk}GET / HTTP/1.1\r\nHost: a\r\n\r\n`,
    );
    expect(await response).toMatchObject({ status: 400, connectionClosed: true });
    expect(proxy.upstream.connections[0]?.open).toBe(false);
    expect(proxy.stats.requests).toBe(1);
  });

  test('a body that stops coming gives 408', async () => {
    const proxy = openProxy({}, { upstream: () => ({}), options: { server: { readTimeoutMs: 300 } } });
    const client = proxy.connect();
    const response = client.response('POST');
    await client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc');
    await proxy.clock.advance(300);
    expect(await response).toMatchObject({ status: 408, connectionClosed: true });
    expect(proxy.upstream.connections[0]?.open).toBe(false);
  });
});

describe('Exchange: connections', () => {
  test('are kept and used again on both sides', async () => {
    const proxy = openProxy(
      { connectedToUpstream() {} },
      { upstream: ({ connection }) => ({ body: `${connection.requestCount}` }) },
    );
    const client = proxy.connect();
    for (const expected of ['1', '2', '3']) expect(await client.inject()).toMatchObject({ text: expected });
    expect(proxy.stats.upstream).toMatchObject({ connects: 1, idle: 1, active: 0 });
  });

  test('connectedToUpstream is told whether it was used before, and where it leads', async () => {
    const seen: unknown[] = [];
    const proxy = openProxy({
      connectedToUpstream: (_session, reused, to, digest) => {
        seen.push(reused, to === peer, digest.socket.remoteAddress);
      },
    });
    const client = proxy.connect();
    await client.inject();
    await client.inject();
    expect(seen).toEqual([false, true, '10.0.0.1', true, true, '10.0.0.1']);
  });

  test('keepaliveRequestLimit: the last request is told', async () => {
    const proxy = openProxy({}, { options: { server: { keepaliveRequestLimit: 2 } } });
    const client = proxy.connect();
    expect(await client.inject()).toMatchObject({ status: 200, connectionClosed: false });
    const last = await client.inject();
    expect(last).toMatchObject({ status: 200, connectionClosed: true });
    expect(last.headers.get('connection')).toBe('close');
  });

  test('session.requestNumber and clientAddress tell whose request it is', async () => {
    const seen: unknown[] = [];
    const proxy = openProxy({
      requestFilter: (session) => {
        seen.push(session.requestNumber, session.clientAddress);
      },
    });
    const client = proxy.connect({ address: '192.0.2.7' });
    await client.inject();
    await client.inject();
    expect(seen).toEqual([1, '192.0.2.7', 2, '192.0.2.7']);
  });

  test('what persistConnectionContext keeps stays with its connection, and is handed over once', async () => {
    const seen: unknown[] = [];
    let keep: unknown = 'a';
    const proxy = openProxy({
      onConnectionReuse: (_session, _ctx, kept) => {
        seen.push(kept);
      },
      persistConnectionContext: () => keep,
    });
    const one = proxy.connect();
    const other = proxy.connect();
    await one.inject();
    keep = 'b';
    await other.inject();
    keep = undefined;
    await one.inject();
    await other.inject();
    await one.inject();
    expect(seen).toEqual(['a', 'b']);
  });

  test('of clients that finish sending are served to the end with abortOnClose false', async () => {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const proxy = openProxy(
      { requestFilter: () => promise },
      { upstream: ({ body }) => ({ body: `got ${body}` }), options: { server: { abortOnClose: false } } },
    );
    const client = proxy.connect();
    const response = client.response('POST');
    await client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc');
    client.end();
    await proxy.clock.settle();
    resolve(undefined);
    expect(await response).toMatchObject({ status: 200, text: 'got abc', complete: true, connectionClosed: true });
  });

  test('of clients that finish sending too early are given up with abortOnClose false, too', async () => {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const proxy = openProxy({ requestFilter: () => promise }, { options: { server: { abortOnClose: false } } });
    const client = proxy.connect();
    const response = client.response('POST');
    await client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc');
    client.end();
    await proxy.clock.settle();
    resolve(undefined);
    await proxy.clock.settle();
    expect(proxy.stats).toMatchObject({ active: 0, failures: 1 });
    await expect(response).rejects.toMatchObject({ type: 'ConnectionClosed' });
  });

  test('stop with their request when the server stops', async () => {
    const proxy = openProxy({}, { upstream: () => ({ body: 'ok', delayMs: 100 }) });
    const busy = proxy.connect();
    const idle = proxy.connect();
    const response = busy.inject();
    await proxy.clock.settle();
    proxy.shutdown();
    await proxy.clock.advance(100);
    const { status, headers, connectionClosed } = await response;
    expect([status, headers.get('connection'), connectionClosed]).toEqual([200, 'close', true]);
    await proxy.clock.advance(2_000);
    expect(idle.closed).toBe('end');
    expect(proxy.stats.upstream.idle).toBe(0);
  });
});

describe('Exchange: pipelining', () => {
  const targets = Array.from({ length: 20 }, (_, at) => `/${at}`);

  test.each([
    ['without phases', {} as Phases],
    ['with synchronous phases', { requestFilter: () => false, responseBodyFilter: () => undefined } as Phases],
    [
      'with asynchronous phases',
      {
        requestFilter: () => Promise.resolve(false),
        responseBodyFilter: () => Promise.resolve(undefined),
        logging: () => new Promise<void>((resolve) => setImmediate(resolve)),
      } as Phases,
    ],
  ])('answers in order, %s', async (_how, phases) => {
    const proxy = openProxy(phases, {
      upstream: ({ method, target, body }) => ({ body: `${method} ${target} ${body}` }),
    });
    const client = proxy.connect();
    const responses = targets.map((target, at) =>
      client.inject(at % 3 === 1 ? { method: 'PUT', target, body: target } : { target }),
    );
    const texts = (await Promise.all(responses)).map(({ text }) => text);
    expect(texts).toEqual(targets.map((target, at) => (at % 3 === 1 ? `PUT ${target} ${target}` : `GET ${target} `)));
  });

  test('of requests in one packet is answered in order, too', async () => {
    const proxy = openProxy({}, { upstream: ({ target }) => ({ body: target }) });
    const client = proxy.connect();
    const responses = targets.map(() => client.response());
    await client.send(targets.map((target) => `GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`).join(''));
    expect((await Promise.all(responses)).map(({ text }) => text)).toEqual(targets);
  });

  test.each([
    ['at once', (): true => true],
    ['later', async (): Promise<true> => true],
  ])('of 1,000 requests that requestFilter answers %s needs no deep stack', async (_how, answer) => {
    const depths = new Set<number>();
    const proxy = openProxy({
      requestFilter(session) {
        depths.add((new Error().stack ?? '').split('\n').length);
        session.respond(200, session.requestHeader.target);
        return answer();
      },
    });
    const client = proxy.connect();
    const many = Array.from({ length: 1_000 }, (_, at) => `/${at}`);
    const responses = many.map(() => client.response());
    await client.send(many.map((target) => `GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`).join(''));
    expect((await Promise.all(responses)).map(({ text }) => text)).toEqual(many);
    expect(Math.max(...depths)).toBeLessThan(25);
    expect(proxy.stats).toMatchObject({ requests: 1_000, active: 0 });
  });

  test('ends cleanly with a request that says close', async () => {
    const proxy = openProxy({}, { upstream: ({ target }) => ({ body: target }) });
    const client = proxy.connect();
    const first = client.response();
    await client.send('GET /1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n');
    expect(await first).toMatchObject({ text: '/1', connectionClosed: true });
    expect(proxy.upstream.requests.map(({ target }) => target)).toEqual(['/1']);
  });
});
