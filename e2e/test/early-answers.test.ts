/**
 * Final answers that come before the request is complete, and error answers of the proxy itself
 * (RFC 9112 sections 9.3 and 9.6).
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { head } from '../src/case.ts';
import { Rig } from '../src/rig.ts';
import { get } from '../src/wire-client.ts';
import { tokensOf, valuesOf } from '../src/wire-head.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await Rig.start();
});
afterEach(async () => {
  rig.endTest();
  await rig.origin.breakAll();
});
afterAll(() => rig?.stop());

const CHUNKED = head('POST /upload HTTP/1.1', 'Host: h.example', 'Transfer-Encoding: chunked');
const CHUNK = `400\r\n${'x'.repeat(1_024)}\r\n`;

describe('an origin that answers early', () => {
  it('and closes: the client gets the answer while it is still sending', async () => {
    rig.origin.onHead = ({ connection }) => {
      connection.send(`${head('HTTP/1.1 413 Too Much', 'Connection: close', 'Content-Length: 4')}stop`);
      connection.wire.finish();
    };
    const client = await rig.request(CHUNKED + CHUNK);
    const answer = await client.answer();
    expect(answer.status).toBe(413);
    expect(answer.body.bytes().toString('latin1')).toBe('stop');
    client.send(CHUNK);
    rig.origin.onHead = undefined;
    await rig.expectService();
    expect(client.answers.length, client.describe()).toBe(1);
  });

  it('and stays: the rest of the body is not taken for a request, on either side', async () => {
    rig.origin.onHead = ({ connection, request }) => {
      if (request.target === '/upload') connection.send(`${head('HTTP/1.1 200 OK', 'Content-Length: 5')}early`);
    };
    rig.origin.answer = ({ connection, request }) => {
      if (request.target !== '/upload') connection.send(`${head('HTTP/1.1 200 OK', 'Content-Length: 2')}ok`);
    };
    const inner = get('/smuggled');
    const client = await rig.request(
      head('POST /upload HTTP/1.1', 'Host: h.example', `Content-Length: ${inner.length}`) + inner.slice(0, 3),
    );
    const answer = await client.answer();
    expect(answer.body.bytes().toString('latin1')).toBe('early');
    client.send(inner.slice(3));
    if (tokensOf(answer.fields, 'connection').includes('close')) {
      await client.closed();
    } else {
      client.send(get('/next'));
      expect((await client.answer(1)).body.bytes().toString('latin1')).toBe('ok');
    }
    await rig.expectService();
    expect(rig.origin.requests.map(({ target }) => target)).not.toContain('/smuggled');
    const left = rig.origin.unfinished.every((connection) => connection.isClosed);
    expect(left, `no half-used connection goes on: ${rig.origin.describe()}`).toBe(true);
  });

  it('and dies: a client that sends megabytes gets the answer and an end, not a hang', async () => {
    rig.origin.onHead = ({ connection }) => {
      connection.send(head('HTTP/1.1 503 Busy', 'Content-Length: 0', 'Connection: close'));
      connection.wire.finish();
    };
    const client = await rig.request(CHUNKED);
    for (let index = 0; index < 2_000; index++) client.send(CHUNK);
    const answer = await client.answer();
    expect(answer.status).toBe(503);
    client.send('0\r\n\r\n');
    client.wire.finish();
    await client.closed();
    rig.origin.onHead = undefined;
    await rig.expectService();
  });
});

describe('an error answer of the proxy', () => {
  const bad = head('GET / HTTP/1.1', 'Host: h.example', 'X A: 1');

  it('ends with FIN, not with a reset, although bytes are left unread', async () => {
    const client = await rig.request(bad + 'x'.repeat(200_000));
    expect((await client.answer()).status).toBe(400);
    expect(await client.closed()).toBe('fin');
  });

  it('ends with FIN after Connection: close too, although the client goes on', async () => {
    const client = await rig.request(get('/last', 'Connection: close') + 'x'.repeat(200_000));
    expect((await client.answer()).status).toBe(200);
    expect(await client.closed()).toBe('fin');
  });

  it('reaches a client that goes on sending for a while before it reads', async () => {
    const client = await rig.connect({ paused: true });
    client.send(bad);
    for (let index = 0; index < 50; index++) {
      client.send('x'.repeat(1_000));
      await new Promise((resolve) => setImmediate(resolve));
    }
    client.wire.resume();
    expect((await client.answer()).status).toBe(400);
  });

  it('has no body for HEAD', async () => {
    const client = await rig.connect({ methods: ['HEAD'] });
    client.send(head('HEAD / HTTP/1.1', 'Host: h.example', 'Content-Length: 0', 'Content-Length: 0'));
    expect((await client.answer()).status).toBe(400);
    await client.closed();
    expect(client.reader.leftover.length, client.describe()).toBe(0);
  });

  it('has no body for HEAD when the origin is at fault', async () => {
    rig.origin.answer = ({ connection }) => connection.send('nonsense\r\n\r\n');
    const client = await rig.connect({ methods: ['HEAD', 'GET'] });
    client.send(head('HEAD / HTTP/1.1', 'Host: h.example'));
    const answer = await client.answer();
    expect(answer.status).toBe(502);
    rig.origin.forget();
    if (!tokensOf(answer.fields, 'connection').includes('close')) {
      client.send(get('/next'));
      expect((await client.answer(1)).status).toBe(200);
    }
    expect(client.reader.anomalies).toEqual([]);
  });

  it('repeats nothing of what the client sent', async () => {
    const client = await rig.request(head('GET /<script>alert(1)</script> HTTP/1.1', 'Host: a b', 'X-A: <script>'));
    await client.answer();
    expect(client.wire.transcript()).not.toMatch(/script|alert/);
  });

  it('says nothing about the proxy or the error behind it', async () => {
    rig.origin.answer = ({ connection }) => connection.wire.reset();
    const client = await rig.request(get('/reset'));
    const answer = await client.answer();
    expect(answer.status).toBe(502);
    expect(client.wire.transcript()).not.toMatch(/ECONN|127\.0\.0\.1|node_modules|\bat .*:\d+:\d+|\.ts\b/);
    expect(valuesOf(answer.fields, 'x-powered-by')).toEqual([]);
  });

  it('keeps nothing of the answer that failed', async () => {
    rig.origin.answer = ({ connection }) => {
      connection.send(head('HTTP/1.1 200 OK', 'X-Secret: 1', 'Set-Cookie: a=1', 'Content-Length: x'));
    };
    const client = await rig.request(get('/bad'));
    const answer = await client.answer();
    expect(answer.status).toBe(502);
    expect(valuesOf(answer.fields, 'x-secret')).toEqual([]);
    expect(valuesOf(answer.fields, 'set-cookie')).toEqual([]);
    expect(answer.body.framing.kind).toBe('length');
  });
});
