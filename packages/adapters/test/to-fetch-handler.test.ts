import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { HttpPeer } from '@cirque/pool';
import { defineProxy, type HttpProxy } from '@cirque/proxy';
import { afterEach, describe, expect, test } from 'vitest';
import { toFetchHandler } from '../src/index.ts';
import { closeAll, eventually, Flood, listen, onClose } from './node-peers.ts';

afterEach(closeAll);

async function proxyTo(origin: RequestListener) {
  const port = await listen(origin);
  const handler = toFetchHandler(defineProxy({ upstreamPeer: () => new HttpPeer(`127.0.0.1:${port}`) }));
  onClose(() => handler.close());
  return { handler, proxy: handler.app as HttpProxy };
}

function echo(request: IncomingMessage, response: ServerResponse): void {
  response.setHeader('X-Seen', `${request.method} ${request.url} ${request.headers.host}`);
  response.setHeader('X-Length', request.headers['content-length'] ?? request.headers['transfer-encoding'] ?? 'none');
  response.setHeader('Set-Cookie', ['a=1', 'b=2']);
  request.pipe(response);
}

describe('toFetchHandler', () => {
  test('a request and its response pass', async () => {
    const { handler } = await proxyTo(echo);
    const response = await handler(new Request('http://a.example:81/p?q=1', { headers: { 'X-A': '1' } }));
    expect(response.status).toBe(200);
    expect(response.headers.get('x-seen')).toBe('GET /p?q=1 a.example:81');
    expect(response.headers.get('x-length')).toBe('none');
    expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
    expect(await response.text()).toBe('');
  });

  test('bodies pass, of known length and of unknown', async () => {
    const { handler } = await proxyTo(echo);
    const body = new Blob(['stream']).stream();
    const streamed = await handler(new Request('http://a/', { method: 'POST', body, duplex: 'half' }));
    expect([streamed.headers.get('x-length'), await streamed.text()]).toEqual(['chunked', 'stream']);
    const headers = { 'Content-Length': '5' };
    const known = await handler(new Request('http://a/', { method: 'POST', body: 'hello', headers }));
    expect([known.headers.get('x-length'), await known.text()]).toEqual(['5', 'hello']);
  });

  test('megabytes pass both ways', async () => {
    const { handler } = await proxyTo(echo);
    const response = await handler(new Request('http://a/', { method: 'POST', body: new Uint8Array(5_000_000) }));
    expect((await response.arrayBuffer()).byteLength).toBe(5_000_000);
  });

  test.each([204, 205, 304])('status %i has no body', async (status) => {
    const { handler } = await proxyTo((_request, response) => void response.writeHead(status, { ETag: '"x"' }).end());
    const response = await handler(new Request('http://a/'));
    expect([response.status, response.body, response.headers.get('etag')]).toEqual([status, null, '"x"']);
  });

  test('a body where none may be is read to its end for nobody', async () => {
    const { handler, proxy } = await proxyTo((_request, response) => {
      response.writeHead(205).end(Buffer.alloc(1_000_000));
    });
    const response = await handler(new Request('http://a/'));
    expect([response.status, response.body]).toEqual([205, null]);
    await eventually(() => proxy.stats().active === 0);
  });

  test('an upstream that refuses is a 502', async () => {
    const handler = toFetchHandler(defineProxy({ upstreamPeer: () => new HttpPeer('127.0.0.1:1') }));
    expect((await handler(new Request('http://a/'))).status).toBe(502);
  });

  test('an upstream that dies in its body breaks the response', async () => {
    const { handler } = await proxyTo((_request, response) => {
      response.writeHead(200, { 'Content-Length': '10' });
      response.write('part', () => response.destroy());
    });
    const response = await handler(new Request('http://a/'));
    await expect(response.text()).rejects.toThrow('ConnectionClosed');
  });

  test('a reader that does not read stops the upstream, one that gives up cancels it', async () => {
    const flood = new Flood();
    const { handler, proxy } = await proxyTo(flood.respond);
    const response = await handler(new Request('http://a/'));
    expect(await flood.stalled()).toBeLessThan(50_000_000);
    await response.body?.cancel();
    await eventually(() => flood.closed && proxy.stats().active === 0);
    expect(proxy.stats().failures).toBe(1);
  });

  test('an aborted request rejects, and cancels the upstream', async () => {
    let gone = 0;
    const { handler, proxy } = await proxyTo((request, response) => {
      response.on('close', () => (gone += 1));
      if (request.url === '/body') response.write('first');
    });
    const waiting = new AbortController();
    const answer = handler(new Request('http://a/', { signal: waiting.signal }));
    await eventually(() => proxy.stats().upstream.active === 1);
    waiting.abort(new Error('no more'));
    await expect(answer).rejects.toThrow('no more');
    const reading = new AbortController();
    const response = await handler(new Request('http://a/body', { signal: reading.signal }));
    reading.abort(new Error('enough'));
    await expect(response.text()).rejects.toThrow('enough');
    await eventually(() => gone === 2 && proxy.stats().active === 0);
    await expect(handler(new Request('http://a/', { signal: reading.signal }))).rejects.toThrow('enough');
    expect(proxy.stats().requests).toBe(2);
  });

  test('a body source that fails rejects', async () => {
    const { handler } = await proxyTo(() => {});
    const body = new ReadableStream({
      pull(controller) {
        controller.error(new Error('disk'));
      },
    });
    const answer = handler(new Request('http://a/', { method: 'POST', body, duplex: 'half' }));
    await expect(answer).rejects.toMatchObject({ type: 'ReadError', cause: new Error('disk') });
  });

  test('what could be read in two ways is refused', async () => {
    const { handler, proxy } = await proxyTo(echo);
    const headers = { 'Content-Length': '1', 'Transfer-Encoding': 'chunked' };
    expect((await handler(new Request('http://a/', { method: 'POST', body: 'x', headers }))).status).toBe(400);
    const host = { Host: 'a', Connection: 'host' };
    expect((await handler(new Request('http://a/', { headers: host }))).status).toBe(400);
    expect(proxy.stats()).toMatchObject({ requests: 0, refused: 2 });
  });

  test('the address of the client can be given', async () => {
    let seen: string | undefined = 'nobody';
    const phases = defineProxy({
      requestFilter(session) {
        seen = session.clientAddress;
        session.respond(200, 'ok');
        return true;
      },
      upstreamPeer: () => new HttpPeer('127.0.0.1:1'),
    });
    await toFetchHandler(phases)(new Request('http://a/'));
    expect(seen).toBeUndefined();
    await toFetchHandler(phases, { clientAddress: () => '192.0.2.1' })(new Request('http://a/'));
    expect(seen).toBe('192.0.2.1');
  });
});
