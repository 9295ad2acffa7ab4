/** Tunnels whose time is over, and clients that leave while nobody reads from them. Real sockets, time driven by hand. */
import { HeaderMap, ResponseHeader } from '@cirque/http';
import { LeakCheck, type RawClient } from '@cirque/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ServerSession } from '../src/index.ts';
import { answer, HttpSite, StackSite, until } from './stack-site.ts';

let leaks: LeakCheck;
const closers: (() => Promise<void>)[] = [];

beforeEach(() => {
  leaks = LeakCheck.start();
});
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
  await leaks.assertClean();
});

interface Parts {
  readonly http: HttpSite;
  readonly site: StackSite;
  readonly client: RawClient;
}

async function start(serve: (session: ServerSession) => void): Promise<Parts> {
  const http = new HttpSite(serve);
  const site = await StackSite.start(http.app);
  closers.push(() => site.close());
  return { http, site, client: await site.client() };
}

/** The time of tunnels is over. */
function endTunnels({ http, site }: Parts): void {
  for (const stream of site.connections.served()) http.app.shutdownTunnels(stream);
}

const upgrade = 'GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: chat\r\n\r\n';

function openTunnel(session: ServerSession): void {
  session.writeHead(new ResponseHeader(101, HeaderMap.from({ Connection: 'Upgrade', Upgrade: 'chat' })), false);
  session.resume();
}

function write(session: ServerSession, text: string): void {
  session.writeBody(Buffer.from(text), 0, text.length, undefined);
}

async function tunnel(): Promise<Parts & { readonly session: ServerSession }> {
  const parts = await start(openTunnel);
  await parts.client.send(`${upgrade}early`);
  await parts.client.waitFor('\r\n\r\n');
  await until(() => parts.http.events.length === 1, 'bytes through the tunnel');
  return { ...parts, session: parts.http.sessions[0] as ServerSession };
}

describe('HttpConnectionApp.shutdownTunnels: HTTP/1', () => {
  test('HttpConnectionApp.shutdownTunnels tells the owner of the end, and lets it have the last word', async () => {
    const parts = await tunnel();
    const { http, site, client, session } = parts;
    site.stop();
    await http.pass(10_000);
    expect(client.closeKind).toBeUndefined();
    endTunnels(parts);
    endTunnels(parts);
    expect(http.events).toEqual(['body early', 'end']);
    await client.send('nobody hears that');
    write(session, 'last words');
    session.end();
    expect(await client.waitForClose()).toBe('end');
    expect(client.text).toMatch(/\r\n\r\nlast words$/);
    client.end();
    await site.open(0);
    await http.pass(2_000);
    expect(http.events).toEqual(['body early', 'end']);
  });

  test('HttpConnectionApp.shutdownTunnels tells the end behind what the owner has not read yet', async () => {
    const parts = await start((session) => {
      openTunnel(session);
      session.pause();
    });
    const { http, client } = parts;
    await client.send(`${upgrade}early`);
    await client.waitFor('\r\n\r\n');
    endTunnels(parts);
    expect(http.events).toEqual([]);
    http.sessions[0]?.resume();
    expect(http.events).toEqual(['body early', 'end']);
  });

  test('HttpConnectionApp.shutdownTunnels cuts after a second: sends what was written, then FIN', async () => {
    const parts = await tunnel();
    const { http, site, client, session } = parts;
    endTunnels(parts);
    write(session, 'last words');
    await http.pass(900);
    expect(http.events).toEqual(['body early', 'end']);
    await http.pass(200);
    expect(http.events).toEqual(['body early', 'end', 'error ConnectionClosed']);
    expect(session.writable).toBe(false);
    // What the owner does now changes nothing.
    write(session, 'too late');
    session.abort(new Error('over') as never);
    expect(await client.waitForClose()).toBe('end');
    expect(client.text).toMatch(/\r\n\r\nlast words$/);
    await client.send('still talking').catch(() => {});
    client.end();
    await site.open(0);
    expect(http.events).toHaveLength(3);
  });

  test('HttpConnectionApp.shutdownTunnels waits for a client that does not read, as for any', async () => {
    const parts = await tunnel();
    const { http, site, client, session } = parts;
    client.pause();
    write(session, 'x'.repeat(8 * 1024 * 1024));
    session.flush();
    endTunnels(parts);
    await http.pass(1_900);
    expect(site.connections.open.size).toBe(1);
    await http.pass(61_000);
    await http.pass(61_000);
    await site.open(0);
  });

  test('HttpConnectionApp.shutdownTunnels leaves requests and idle connections alone', async () => {
    const parts = await start((session) => {
      if (session.requestHeader.target === '/now') answer(session);
    });
    const { site, client, http } = parts;
    const idle = await site.client();
    await idle.send('GET /now HTTP/1.1\r\nHost: a\r\n\r\n');
    await idle.waitFor('/now');
    await client.send('GET /later HTTP/1.1\r\nHost: a\r\n\r\n');
    await until(() => http.sessions.length === 2, 'the request');
    endTunnels(parts);
    answer(http.sessions[1] as ServerSession);
    await client.waitFor('/later');
    await idle.send('GET /now HTTP/1.1\r\nHost: a\r\n\r\n');
    await idle.waitFor('/now');
    expect(http.events).toEqual([]);
  });

  test('HttpConnectionApp.shutdownTunnels leaves a tunnel alone that is asked for and not open yet', async () => {
    const parts = await start(() => {});
    const { http, client } = parts;
    await client.send(upgrade);
    await until(() => http.sessions.length === 1, 'the request');
    endTunnels(parts);
    const session = http.sessions[0] as ServerSession;
    openTunnel(session);
    await client.waitFor('\r\n\r\n');
    expect(http.events).toEqual([]);
    endTunnels(parts);
    expect(http.events).toEqual(['end']);
    await http.pass(1_100);
    await client.waitForClose();
  });
});

describe('a client that leaves while nothing is read from it', () => {
  test('Http1ServerSession notices a reset during a paused upload', async () => {
    const parts = await start((session) => session.pause());
    const { http, site, client } = parts;
    client.socket.on('error', () => {});
    await client.send('POST /up HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n');
    await until(() => http.sessions.length === 1, 'the request');
    // More than is held of a body that nobody wants: reading is paused.
    await client.send('x'.repeat(200_000));
    const stream = site.connections.served()[0];
    await until(() => stream?.duplex.isPaused() === true, 'the pause');
    await http.pass(3_000);
    expect([http.events, stream?.destroyed]).toEqual([[], false]);
    client.reset();
    await until(() => stream?.wasReset === true, 'the reset');
    await http.pass(1_100);
    expect(http.events).toEqual(['error ConnectionClosed']);
    http.sessions[0]?.abort(new Error('over') as never);
    await site.open(0);
  });

  test('Http1ServerSession goes on with an upload that was paused, as if nobody had looked', async () => {
    const { http, client } = await start((session) => session.pause());
    await client.send('POST /up HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\n');
    await client.send('x'.repeat(200_000));
    await until(() => http.sessions.length === 1, 'the request');
    await http.pass(5_000);
    const session = http.sessions[0] as ServerSession;
    session.resume();
    await until(() => http.events.at(-1) === 'end', 'the end of the body');
    expect(session.bodyBytesReceived).toBe(200_000);
    answer(session);
    await client.waitFor('/up');
    await http.pass(5_000);
    expect(client.closeKind).toBeUndefined();
  });
});
