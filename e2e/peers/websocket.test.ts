/**
 * WebSockets of `ws` through the gateway: over HTTP/1.1, and over HTTP/2 by extended CONNECT, to servers of HTTP/1.1.
 */
import { randomBytes } from 'node:crypto';
import { type ClientHttp2Session, connect } from 'node:http2';
import { LeakCheck, makeCa, RawClient } from '@cirque/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { Gateway } from '../src/gateway.ts';
import { Http2Talker } from '../src/http2-talker.ts';
import { GATEWAY_NAME } from '../src/peers-rig.ts';
import { type Talker, WsTalker } from '../src/talker.ts';
import { WsOrigin } from '../src/ws-origin.ts';

type Way = 'h1' | 'h1-tls' | 'h2' | 'h2-tls';
const ways: readonly Way[] = ['h1', 'h1-tls', 'h2', 'h2-tls'];
const pairs = ways.flatMap((from) => (['h1', 'h1-tls'] as const).map((to) => ({ from, to })));

const leaks = LeakCheck.start();
const ca = makeCa('Test authority');
let origin: WsOrigin;
let gateway: Gateway;
const sessions = new Map<Way, ClientHttp2Session>();
let open: Talker[] = [];

beforeAll(async () => {
  origin = await WsOrigin.listen(ca);
  gateway = await Gateway.start({
    upstreams: origin.upstreams,
    tls: { certificate: ca.issue({ names: [GATEWAY_NAME] }), alpn: ['h2', 'http/1.1'] },
  });
});
afterEach(async () => {
  for (const talker of open) talker.terminate();
  await Promise.all(open.map(({ closed }) => closed));
  open = [];
});
afterAll(async () => {
  for (const session of sessions.values()) session.close();
  await origin?.close();
  await gateway?.stop();
  await leaks.assertClean();
});

const trust = { ca: ca.cert, servername: GATEWAY_NAME };

function sessionOf(way: 'h2' | 'h2-tls'): ClientHttp2Session {
  let session = sessions.get(way);
  if (session === undefined) {
    const plain = `http://127.0.0.1:${gateway.port}`;
    session = way === 'h2' ? connect(plain) : connect(`https://127.0.0.1:${gateway.tlsPort}`, trust);
    session.setMaxListeners(0);
    sessions.set(way, session);
  }
  return session;
}

function begin(way: Way, path: string, protocols: readonly string[], headers: Record<string, string>): Promise<Talker> {
  if (way === 'h2' || way === 'h2-tls') return Http2Talker.open(sessionOf(way), path, protocols, headers);
  if (way === 'h1') return WsTalker.open(`ws://127.0.0.1:${gateway.port}${path}`, protocols, { headers });
  return WsTalker.open(`wss://127.0.0.1:${gateway.tlsPort}${path}`, protocols, { headers, ...trust });
}

async function talk(way: Way, upstream: string, path: string, protocols: readonly string[] = []): Promise<Talker> {
  const talker = await begin(way, path, protocols, { 'x-upstream': upstream });
  open.push(talker);
  return talker;
}

describe.each(pairs)('a WebSocket, $from to $to', ({ from, to }) => {
  const path = (name: string): string => `${name}${name.includes('?') ? '&' : '?'}from=${from}&to=${to}`;

  it('echoes texts and bytes of all sizes', async () => {
    const talker = await talk(from, to, path('/echo'));
    for (const size of [0, 1, 125, 126, 65_535, 65_536, 1_048_576]) {
      const message = Buffer.alloc(size, 'm');
      talker.send(message);
      expect((await talker.receive()).equals(message), `${size} bytes`).toBe(true);
    }
    talker.send('ein Gruß');
    expect((await talker.receive()).toString()).toBe('ein Gruß');
  });

  it('says something at once', async () => {
    expect((await (await talk(from, to, path('/greet'))).receive()).toString()).toBe('hello');
  });

  it('agrees on a subprotocol', async () => {
    expect((await talk(from, to, path('/echo'), ['other', 'chat'])).protocol).toBe('chat');
    expect(origin.lastHandshake['sec-websocket-protocol']?.replaceAll(' ', '')).toBe('other,chat');
    expect(origin.lastHandshake).toMatchObject({ upgrade: 'websocket', connection: 'Upgrade' });
  });

  it('pings and pongs, both ways', async () => {
    const talker = await talk(from, to, path('/ping'));
    expect((await talker.receive()).toString()).toBe('pong are you there');
    expect(await talker.ping('and you?')).toBe('and you?');
  });

  it('closes by the client, with its code', async () => {
    const talker = await talk(from, to, path('/echo?closes=1'));
    talker.close(4_001, 'enough');
    expect(await talker.closed).toBe('4001 enough');
    await vi.waitFor(() => expect(origin.closed).toContain(`${path('/echo?closes=1')} 4001 enough`));
  });

  it('closes by the server, with its code', async () => {
    const target = path('/close?code=1011&reason=trouble');
    const talker = await talk(from, to, target);
    talker.send('go');
    expect(await talker.closed).toBe('1011 trouble');
    await vi.waitFor(() => expect(origin.closed).toContain(`${target} 1011 trouble`));
  });

  it('fifty at once, twenty messages each, in order', async () => {
    const talkers = await Promise.all(Array.from({ length: 50 }, () => talk(from, to, path('/echo'))));
    const texts = Array.from({ length: 20 }, (_, at) => `message ${at} ${'.'.repeat(at * 100)}`);
    for (const text of texts) for (const talker of talkers) talker.send(text);
    for (const talker of talkers) {
      for (const text of texts) expect((await talker.receive()).toString()).toBe(text);
    }
  });

  it('a large message that comes while nobody reads it', async () => {
    const talker = await talk(from, to, path('/bytes?n=5000000'));
    expect((await talker.receive()).length).toBe(5_000_000);
  });

  it('a client that vanishes: the server is told at once', async () => {
    const target = path('/echo?vanishes=client');
    const talker = await talk(from, to, target);
    talker.terminate();
    await vi.waitFor(() => expect(origin.closed).toContain(`${target} 1006`));
  });

  it('a server that vanishes: the client is told at once', async () => {
    const talker = await talk(from, to, path('/terminate'));
    talker.send('go');
    expect(await talker.closed).toBe('1006 ');
  });

  it('a refusal comes through, and what follows is served', async () => {
    await expect(talk(from, to, path('/refuse'))).rejects.toThrow('status 403');
    const talker = await talk(from, to, path('/echo'));
    talker.send('still there');
    expect((await talker.receive()).toString()).toBe('still there');
  });
});

describe.each(['h1', 'h1-tls'])('a WebSocket of a client that half-closes, to %s', (to) => {
  it('ends on both sides', async () => {
    const target = `/greet?halfCloses=1&to=${to}`;
    const client = await RawClient.connect({ port: gateway.port });
    const handshake = [
      `GET ${target} HTTP/1.1`,
      'Host: gateway.test',
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`,
      `X-Upstream: ${to}`,
    ];
    await client.send(`${handshake.join('\r\n')}\r\n\r\n`);
    expect(await client.waitFor('\x05hello')).toMatch(/^HTTP\/1\.1 101 /);
    client.end();
    expect(await client.waitForClose()).toBe('end');
    await vi.waitFor(() => expect(origin.closed).toContain(`${target} 1006`));
    await client.close();
  });
});

describe.each(ways)('a WebSocket, %s', (from) => {
  it('to an upstream of HTTP/2 only: a bad gateway', async () => {
    await expect(talk(from, 'h2', '/echo')).rejects.toThrow('status 502');
  });
});
