import { createServer } from 'node:net';
import { HttpConnectionApp, type Logger, silentLogger } from '@cirque/core';
import { CirqueError } from '@cirque/error';
import { HttpPeer } from '@cirque/pool';
import { defineProxy, HttpProxy } from '@cirque/proxy';
import { createTestProxy } from '@cirque/proxy/testing';
import { Stream } from '@cirque/transport';
import { afterEach, describe, expect, test } from 'vitest';
import { fetchFilter, fromFetch, toNodeHandler, type WebHandler } from '../src/index.ts';
import { ask, closeAll, eventually, listen, rawSocket, started } from './node-peers.ts';

afterEach(closeAll);

/** Errors that were logged. */
function recording(lines: unknown[]): Logger {
  return { ...silentLogger, error: (facts: object | string) => void lines.push(facts) };
}

async function serve(handler: WebHandler, lines: unknown[] = []): Promise<number> {
  return listen(toNodeHandler(fromFetch(handler, { logger: recording(lines) })));
}

describe('fromFetch', () => {
  test('requests become Requests, Responses responses', async () => {
    const port = await serve(async (request) => {
      const url = new URL(request.url);
      const body = `${request.method} ${url.host} ${url.pathname}${url.search} ${await request.text()}`;
      const headers = new Headers({ 'X-Kind': request.headers.get('x-kind') ?? '' });
      headers.append('Set-Cookie', 'a=1');
      headers.append('Set-Cookie', 'b=2');
      return new Response(body, { status: 201, statusText: 'Made', headers });
    });
    const headers = { Host: 'a.example:1', 'X-Kind': 'k' };
    const answer = await ask(port, { method: 'POST', path: '/p?q', headers, body: 'hello' });
    expect(answer).toMatchObject({ status: 201, body: 'POST a.example:1 /p?q hello' });
    expect(answer.headers).toMatchObject({ 'x-kind': 'k', 'set-cookie': ['a=1', 'b=2'] });
  });

  test('both bodies stream', async () => {
    const port = await serve((request) => new Response(request.body));
    const body = Buffer.alloc(3_000_000, 'abc');
    expect((await ask(port, { method: 'POST', body })).body.length).toBe(body.length);
    const client = await rawSocket(port);
    client.write('POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nping\r\n');
    await client.until('ping');
    client.write('4\r\npong\r\n0\r\n\r\n');
    await client.until('pong');
  });

  test('a body that is not read is not read', async () => {
    const port = await serve(() => new Response('no thanks'));
    expect((await ask(port, { method: 'POST', body: 'x'.repeat(100_000) })).body).toBe('no thanks');
  });

  test('HEAD and null bodies have none', async () => {
    const port = await serve((request) => {
      if (request.method === 'HEAD') return new Response('content', { headers: { 'Content-Length': '7' } });
      return new Response(null, { status: 204 });
    });
    expect(await ask(port, { method: 'HEAD' })).toMatchObject({ status: 200, body: '' });
    expect(await ask(port)).toMatchObject({ status: 204, body: '' });
  });

  test('a handler that throws gives 500 and a line, one that asks for a status gets it', async () => {
    const lines: unknown[] = [];
    const port = await serve((request) => {
      if (request.url.endsWith('/teapot')) throw CirqueError.http(418);
      throw new Error('broken');
    }, lines);
    expect((await ask(port)).status).toBe(500);
    expect(lines).toEqual([expect.objectContaining({ method: 'GET', target: '/' })]);
    expect((await ask(port, { path: '/teapot' })).status).toBe(418);
    expect(lines).toHaveLength(1);
  });

  test.each<[string, () => Response]>([
    ['a Response of type error', () => Response.error()],
    ['no Response', () => undefined as unknown as Response],
  ])('%s gives 500', async (_, handler) => {
    expect((await ask(await serve(handler))).status).toBe(500);
  });

  test('a body that breaks cuts the response', async () => {
    const lines: unknown[] = [];
    let sent = false;
    const port = await serve(() => {
      const body = new ReadableStream(
        {
          async pull(controller) {
            if (sent) controller.error(new Error('disk'));
            else controller.enqueue(Buffer.from('part'));
            sent = true;
          },
        },
        { highWaterMark: 0 },
      );
      return new Response(body);
    }, lines);
    expect(await ask(port)).toMatchObject({ status: 200, body: 'part', complete: false });
    expect(lines).toHaveLength(1);
  });

  test('a client that leaves aborts the signal and ends the body', async () => {
    const seen: string[] = [];
    const port = await serve(({ signal }) => {
      signal.addEventListener('abort', () => seen.push('aborted'));
      const body = new ReadableStream({
        pull: async (controller) => {
          controller.enqueue(Buffer.from('tick'));
          await new Promise((resolve) => setTimeout(resolve, 5));
        },
        cancel: () => void seen.push('cancelled'),
      });
      return new Response(body);
    });
    const client = await rawSocket(port);
    client.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await client.until('tick');
    client.destroy();
    await eventually(() => seen.length === 2);
    expect(seen.toSorted()).toEqual(['aborted', 'cancelled']);
  });

  test('methods that fetch does not know are refused', async () => {
    const port = await serve(() => new Response('never'));
    expect((await ask(port, { method: 'TRACE' })).status).toBe(405);
  });

  test('serves connections of ours', async () => {
    const app = new HttpConnectionApp(fromFetch(({ url }) => new Response(url)));
    const server = createServer({ allowHalfOpen: true }, (socket) => app.processNew(new Stream(socket, 'Downstream')));
    const port = await started(server as never);
    expect((await ask(port, { path: '/x', headers: { Host: 'h' } })).body).toBe('http://h/x');
  });

  test('a client that waits is told to go on when the handler reads the body, not before', async () => {
    const app = new HttpConnectionApp(
      fromFetch(async (request) => new Response(request.url.endsWith('/read') ? await request.text() : 'unread')),
    );
    const server = createServer({ allowHalfOpen: true }, (socket) => app.processNew(new Stream(socket, 'Downstream')));
    const port = await started(server as never);
    const waits = { method: 'POST', body: 'x', headers: { Expect: '100-continue', 'Content-Length': '1' } };
    expect(await ask(port, { ...waits, path: '/read', expectContinue: true })).toMatchObject({
      interim: [100],
      body: 'x',
    });
    const client = await rawSocket(port);
    client.write('POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n');
    await client.until('unread');
    expect(client.text).not.toContain(' 100 ');
  });

  test('what is no function is refused', () => {
    expect(() => fromFetch('x' as never)).toThrow('expected a function');
    expect(() => fetchFilter(undefined as never)).toThrow('expected a function');
  });
});

describe('fetchFilter', () => {
  const filtered = (filter: Parameters<typeof fetchFilter>[0], maxBodyBytes?: number) =>
    createTestProxy(
      defineProxy({
        requestFilter: fetchFilter(filter, maxBodyBytes === undefined ? {} : { maxBodyBytes }),
        upstreamPeer: () => new HttpPeer('10.0.0.1:80'),
      }),
      { upstream: ({ body }) => ({ body: `origin ${body}` }) },
    );

  test('answers, or lets the request pass with its body', async () => {
    const proxy = filtered(async (request) => {
      const text = await request.text();
      return text === 'mine' ? new Response(`got ${text}`, { status: 202 }) : undefined;
    });
    expect(await proxy.inject({ method: 'POST', body: 'mine' })).toMatchObject({ status: 202, text: 'got mine' });
    expect(await proxy.inject({ method: 'POST', body: 'other' })).toMatchObject({ status: 200, text: 'origin other' });
    expect(await proxy.inject()).toMatchObject({ status: 200, text: 'origin ' });
    await proxy.close();
  });

  test('a body of unknown length is there in every HTTP version', async () => {
    const proxy = new HttpProxy(
      defineProxy({
        requestFilter: fetchFilter(async (request) => new Response(`got ${await request.text()}`)),
        upstreamPeer: () => new HttpPeer('10.0.0.1:80'),
      }),
    );
    const body = [Buffer.from('no '), Buffer.from('length')];
    const response = await proxy.subrequest({ method: 'POST', target: '/', body });
    expect(await response.body.text()).toBe('got no length');
  });

  test('a body that is larger than allowed is refused', async () => {
    const proxy = filtered(async (request) => new Response(await request.text()), 3);
    expect((await proxy.inject({ method: 'POST', body: 'four' })).status).toBe(413);
    await proxy.close();
  });

  test('null bodies have none, the session is at hand', async () => {
    const proxy = filtered((_request, session) => new Response(null, { headers: { X: session.requestHeader.path } }));
    const { status, text, headers } = await proxy.inject({ target: '/p?q' });
    expect([status, text, headers.get('x')]).toEqual([200, '', '/p']);
    await proxy.close();
  });
});
