/**
 * undici in HTTP/2: fetch and request over one connection, streams in both directions, aborts.
 */
import { ReadableStream } from 'node:stream/web';
import { Agent, fetch, request } from 'undici';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { CLIENT_FACTS } from '../src/gateway-setup.ts';
import { factsIn, GATEWAY_NAME, ORIGIN_KINDS, PeersRig } from '../src/peers-rig.ts';

let rig: PeersRig;
let dispatcher: Agent;
let base = '';
beforeAll(async () => {
  rig = await PeersRig.start();
  dispatcher = new Agent({ allowH2: true, connect: { ca: rig.ca.cert, servername: GATEWAY_NAME } });
  base = `https://127.0.0.1:${rig.gateway.tlsPort}`;
});
afterAll(async () => {
  await dispatcher?.close();
  await rig?.stop();
});

describe.each(ORIGIN_KINDS)('undici over HTTP/2 to %s', (kind) => {
  const headers = { 'x-upstream': kind };

  it('fetch', async () => {
    const response = await fetch(`${base}/echo`, { dispatcher, headers });
    expect(response.status).toBe(200);
    expect(factsIn(response.headers.get(CLIENT_FACTS))).toMatchObject({ http: '2', alpn: 'h2', tls: 'TLSv1.3' });
    expect(await response.text()).toBe('');
  });

  it('fetch of fifty uploads at once', async () => {
    const texts = Array.from({ length: 50 }, async (_, at) => {
      const response = await fetch(`${base}/echo`, {
        dispatcher,
        headers,
        method: 'PUT',
        body: `${at} `.repeat(5_000),
      });
      return response.text();
    });
    expect(await Promise.all(texts)).toEqual(texts.map((_, at) => `${at} `.repeat(5_000)));
  });

  it('fetch that streams both ways: each piece comes back before the next is sent', async () => {
    let send!: ReadableStreamDefaultController<Uint8Array>;
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        send = controller;
      },
    });
    send.enqueue(Buffer.from('piece 0'));
    const response = await fetch(`${base}/echo`, { dispatcher, headers, method: 'POST', body, duplex: 'half' });
    const reader = (response.body as unknown as ReadableStream<Uint8Array>).getReader();
    for (let at = 0; at < 5; at++) {
      const { value } = await reader.read();
      expect(Buffer.from(value as Uint8Array).toString()).toBe(`piece ${at}`);
      if (at < 4) send.enqueue(Buffer.from(`piece ${at + 1}`));
    }
    send.close();
    expect((await reader.read()).done).toBe(true);
  });

  it('request with trailers', async () => {
    const { statusCode, body, trailers } = await request(`${base}/trailers`, { dispatcher, headers });
    expect([statusCode, await body.text()]).toEqual([200, 'body']);
    expect(trailers).toMatchObject({ 'x-checksum': 'abc' });
  });

  it('an aborted fetch ends the work of the origin', async () => {
    const path = `/begun?undici=${kind}`;
    const abort = new AbortController();
    const response = await fetch(`${base}${path}`, { dispatcher, headers, signal: abort.signal });
    abort.abort();
    await expect(response.text()).rejects.toThrow(/abort/i);
    await vi.waitFor(() => expect(rig.log).toContain(`aborted GET ${path}`), 3_000);
  });
});
