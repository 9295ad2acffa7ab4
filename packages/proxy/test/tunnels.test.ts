/**
 * Upgrades and CONNECT over real sockets: when bytes pass, how each side ends, and who vanishes first.
 */
import { once } from 'node:events';
import { HttpPeer } from '@cirque/pool';
import { LeakCheck, RawClient } from '@cirque/testing';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { ProxyPhases } from '../src/proxy-http.ts';
import type { HttpProxyServiceOptions } from '../src/service.ts';
import { type ListeningProxy, listen } from './listening-proxy.ts';
import { RawOrigin } from './raw-origin.ts';

const UPGRADE = 'GET /chat HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\r\n';
const SWITCHING = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';

let leaks: LeakCheck;
const cleanUps: (() => unknown)[] = [];

beforeEach(() => {
  leaks = LeakCheck.start();
});
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
  await leaks.assertClean();
});

interface Setting {
  readonly origin: RawOrigin;
  readonly proxy: ListeningProxy;
  readonly client: RawClient;
}

async function setUp(
  phases: Partial<ProxyPhases<undefined>> = {},
  options: HttpProxyServiceOptions = {},
): Promise<Setting> {
  const origin = await RawOrigin.listen();
  cleanUps.push(() => origin.close());
  const peer = new HttpPeer(`127.0.0.1:${origin.port}`);
  const proxy = await listen({ newCtx: () => undefined, upstreamPeer: () => peer, ...phases }, options);
  cleanUps.push(() => proxy.close());
  const client = await RawClient.connect({ port: proxy.port });
  cleanUps.push(() => client.close());
  return { origin, proxy, client };
}

async function idle(proxy: ListeningProxy): Promise<void> {
  await vi.waitFor(() => {
    expect(proxy.openConnections).toBe(0);
    expect(proxy.stats).toMatchObject({ active: 0, upstream: { active: 0 } });
  });
}

describe('an upgrade', () => {
  test('passes as the policy says, and bytes flow both ways after the 101', async () => {
    const { origin, client } = await setUp();
    await client.send(UPGRADE);
    const socket = await origin.received('\r\n\r\n');
    expect(origin.texts[0]).toBe('GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    socket.write(`${SWITCHING}from the origin`);
    expect(await client.waitFor('from the origin')).toBe(`${SWITCHING}from the origin`);
    await client.send('from the client');
    await origin.received('from the client');
  });

  test('nothing passes before the 101, whatever the client sends at once', async () => {
    const { origin, client } = await setUp();
    await client.send(`${UPGRADE}GET /admin HTTP/1.1\r\nHost: a\r\n\r\n`);
    const socket = await origin.received('\r\n\r\n');
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(origin.texts[0]).not.toContain('/admin');
    socket.write(SWITCHING);
    await origin.received('/admin');
    expect(origin.sockets).toHaveLength(1);
  });

  test('that is answered otherwise leaves the connection HTTP', async () => {
    const { origin, client } = await setUp();
    await client.send(`${UPGRADE}GET /next HTTP/1.1\r\nHost: a\r\n\r\n`);
    const socket = await origin.received('/chat');
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno');
    await client.waitFor('\r\n\r\nno');
    await origin.received('GET /next');
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyes');
    await client.waitFor('\r\n\r\nyes');
  });

  test.each(['h2c', 'h2c, websocket', 'chat'])('to %s does not pass', async (protocol) => {
    const { origin, client } = await setUp();
    await client.send(UPGRADE.replace('websocket', protocol));
    const socket = await origin.received('\r\n\r\n');
    expect(origin.texts[0]).not.toMatch(/upgrade/i);
    socket.write(SWITCHING);
    expect(await client.waitFor('\r\n\r\n')).toMatch('HTTP/1.1 502');
  });

  test('a 101 before the end of the request is a bad gateway', async () => {
    const { origin, client } = await setUp();
    await client.send(UPGRADE.replace('\r\n\r\n', '\r\nContent-Length: 5\r\n\r\n12'));
    const socket = await origin.received('12');
    socket.write(SWITCHING);
    expect(await client.waitFor('\r\n\r\n')).toMatch('HTTP/1.1 502');
  });
});

describe('half-close', () => {
  test('of the client reaches the origin, which may still speak', async () => {
    const { origin, proxy, client } = await setUp();
    await client.send(UPGRADE);
    const socket = await origin.received('\r\n\r\n');
    socket.write(SWITCHING);
    await client.waitFor('\r\n\r\n');
    await client.send('last words');
    client.end();
    await once(socket, 'end');
    expect(origin.texts[0]).toMatch(/last words$/);
    socket.end('and mine');
    await client.waitFor('and mine');
    expect(await client.waitForClose()).toBe('end');
    await idle(proxy);
    expect(proxy.stats.failures).toBe(0);
  });

  test('of the origin reaches the client, which may still speak', async () => {
    const { origin, proxy, client } = await setUp();
    await client.send(UPGRADE);
    const socket = await origin.received('\r\n\r\n');
    socket.end(`${SWITCHING}bye`);
    await client.waitFor('bye');
    expect(await client.waitForClose()).toBe('end');
    await client.send('not yet');
    await origin.received('not yet');
    client.end();
    await once(socket, 'end');
    await idle(proxy);
    expect(proxy.stats.failures).toBe(0);
  });
});

describe('whoever vanishes', () => {
  test('the client: the origin is cut at once', async () => {
    const { origin, proxy, client } = await setUp();
    await client.send(UPGRADE);
    const socket = await origin.received('\r\n\r\n');
    socket.write(SWITCHING);
    await client.waitFor('\r\n\r\n');
    const errors: (string | undefined)[] = [];
    socket.on('error', (error: NodeJS.ErrnoException) => errors.push(error.code));
    client.reset();
    await vi.waitFor(() => expect(socket.destroyed).toBe(true));
    expect(errors).toEqual(['ECONNRESET']);
    await idle(proxy);
  });

  test('the origin: the client sees a cut, not an end', async () => {
    const { origin, proxy, client } = await setUp();
    await client.send(UPGRADE);
    const socket = await origin.received('\r\n\r\n');
    socket.write(SWITCHING);
    await client.waitFor('\r\n\r\n');
    socket.resetAndDestroy();
    expect(await client.waitForClose()).toBe('reset');
    await idle(proxy);
  });

  test('nobody, but nothing passes: the tunnel is cut after its idle time', async () => {
    const { origin, proxy, client } = await setUp({}, { tunnelIdleTimeoutMs: 150 });
    await client.send(UPGRADE);
    const socket = await origin.received('\r\n\r\n');
    socket.write(SWITCHING);
    await client.waitFor('\r\n\r\n');
    const beganAt = performance.now();
    for (let turn = 0; turn < 4; turn++) {
      await new Promise((resolve) => setTimeout(resolve, 60));
      socket.write(`${turn}`);
    }
    await client.waitFor('3');
    expect(performance.now() - beganAt).toBeGreaterThan(200);
    expect(await client.waitForClose()).toBe('reset');
    await idle(proxy);
  });
});

test('back-pressure: a client that does not read stops the origin, and gets everything when it does', async () => {
  const { origin, client } = await setUp();
  await client.send(UPGRADE);
  const socket = await origin.received('\r\n\r\n');
  socket.write(SWITCHING);
  await client.waitFor('\r\n\r\n');
  client.pause();
  const piece = Buffer.alloc(1_048_576, 'x');
  let written = 0;
  while (written < 64 && socket.write(piece)) written += 1;
  const taken = new Promise<void>((resolve) => socket.write('the end', () => resolve()));
  const soon = new Promise<'stalled'>((resolve) => setTimeout(resolve, 200, 'stalled'));
  for (let more = 0; more < 32; more++) socket.write(piece);
  expect(await Promise.race([taken, soon])).toBe('stalled');
  client.resume();
  await taken;
});

describe('filters', () => {
  test('see the bytes of both directions, and change them', async () => {
    const seen: string[] = [];
    const { origin, client } = await setUp({
      requestBodyFilter(_session, body, end) {
        seen.push(`> ${body?.toString() ?? ''}${end ? '.' : ''}`);
        return body === undefined ? undefined : Buffer.from(body.toString().toUpperCase());
      },
      async responseBodyFilter(_session, body, end) {
        await Promise.resolve();
        seen.push(`< ${body?.toString() ?? ''}${end ? '.' : ''}`);
        return undefined;
      },
    });
    await client.send(UPGRADE);
    const socket = await origin.received('\r\n\r\n');
    socket.write(`${SWITCHING}one`);
    await client.waitFor('one');
    await client.send('two');
    await origin.received('TWO');
    client.end();
    await once(socket, 'end');
    socket.end('three');
    await client.waitFor('three');
    expect(await client.waitForClose()).toBe('end');
    await vi.waitFor(() => expect(seen).toEqual(['< one', '> two', '> .', '< three', '< .']));
  });
});

describe('CONNECT', () => {
  const CONNECT = 'CONNECT db.internal:5432 HTTP/1.1\r\nHost: db.internal:5432\r\n\r\n';

  test('is refused by default, and what follows is not read', async () => {
    const { origin, client } = await setUp();
    await client.send(`${CONNECT}GET / HTTP/1.1\r\nHost: a\r\n\r\n`);
    expect(await client.waitFor('\r\n\r\n')).toMatch(/^HTTP\/1.1 405 .*Connection: close/s);
    expect(await client.waitForClose()).toBe('end');
    expect(client.unread).toBe('');
    expect(origin.sockets).toHaveLength(0);
  });

  test('when allowed is a tunnel to the peer, with what the client has sent early', async () => {
    const targets: string[] = [];
    const { origin, proxy, client } = await setUp(
      { requestFilter: ({ requestHeader }) => void targets.push(requestHeader.target) },
      { allowConnect: true },
    );
    await client.send(`${CONNECT}early`);
    expect(await client.waitFor('\r\n\r\n')).toBe('HTTP/1.1 200 OK\r\n\r\n');
    const socket = await origin.received('early');
    expect(origin.texts[0]).toBe('early');
    socket.end('answer');
    await client.waitFor('answer');
    client.end();
    await idle(proxy);
    expect(targets).toEqual(['db.internal:5432']);
  });

  test('to a peer that refuses is a bad gateway', async () => {
    const { client } = await setUp({ upstreamPeer: () => new HttpPeer('127.0.0.1:1') }, { allowConnect: true });
    await client.send(CONNECT);
    expect(await client.waitFor('\r\n\r\n')).toMatch('HTTP/1.1 502');
    expect(await client.waitForClose()).toBe('end');
  });
});
