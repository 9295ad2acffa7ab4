/**
 * Reloads at awkward moments: several at once, while clients wait for a place, of listeners that change their name or their protocol, and
 * of those that go while connections are open.
 */
import { createServer } from 'node:http';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { httpExchange, PATIENCE_MS, tcpExchange } from './src/exchanges.ts';
import { freePort } from './src/free-port.ts';
import { HeldConnection } from './src/held-connection.ts';
import { HeldFlow } from './src/held-flow.ts';
import { Load } from './src/load.ts';
import { MortalServer } from './src/mortal-server.ts';
import { LIMITS, Site } from './src/site.ts';
import { UdpEcho } from './src/udp-echo.ts';

vi.setConfig(LIMITS);

let site: Site;

beforeEach(() => {
  site = new Site();
});
afterEach(() => site.close());

describe.each([1, 2])('with %i threads', (threads) => {
  it('no connection fails while a listener gets other names and other settings', async () => {
    const [echo, port] = [await MortalServer.echo(site, 'a'), await freePort()];
    const file = (settings: string): string => `
threads: ${threads}
listeners: [{ ${settings}, address: "127.0.0.1:${port}", protocol: tcp, upstream: all }]
upstreams: { all: ["${echo.address}"] }
`;
    const cirque = await site.gateway(file('name: first'));
    const held = await HeldConnection.open(site, port);
    const load = new Load(site, 6, () => tcpExchange(port));
    await load.more(30);
    for (const settings of [
      'name: second',
      'name: second, idle_timeout: 2m',
      'name: third',
      'retries: 1',
      'name: first',
    ]) {
      site.configure(file(settings));
      await cirque.hangUp();
      await load.more(60);
    }
    await held.works();
    await load.stop();
    expect(load.failures).toEqual([]);
    expect(cirque.errors).toEqual([]);
  });

  it('many signals at once are one reload after the other', async () => {
    const [a, b, port] = [await MortalServer.echo(site, 'a'), await MortalServer.echo(site, 'b'), await freePort()];
    const file = (server: MortalServer): string => `
threads: ${threads}
listeners: [{ address: "127.0.0.1:${port}", protocol: tcp, upstream: all }]
upstreams: { all: ["${server.address}"] }
`;
    const cirque = await site.gateway(file(a));
    const load = new Load(site, 4, () => tcpExchange(port));
    for (let round = 0; round < 20; round += 1) {
      site.configure(file(round % 2 === 0 ? b : a));
      cirque.kill('SIGHUP');
      await load.more(2);
    }
    site.configure(file(b));
    await cirque.hangUp();
    await load.until(() => load.answers.slice(-20).every(({ name }) => name === 'b'), 'the last file in force');
    await load.stop();
    expect(load.failures).toEqual([]);
    expect(cirque.errors).toEqual([]);
  });

  it('what is open goes on when its listener goes: connections, flows, requests', async () => {
    const [echo, dns] = [await MortalServer.echo(site, 'a'), await UdpEcho.start(site, 'd')];
    const answers: (() => void)[] = [];
    const web = await MortalServer.start(site, 'web', () =>
      createServer((_, response) => void answers.push(() => response.end('late'))),
    );
    const [stays, tcp, udp, http] = [await freePort(), await freePort(), await freePort(), await freePort()];
    const file = (more: string): string => `
threads: ${threads}
listeners:
  - { address: "127.0.0.1:${stays}", protocol: tcp, upstream: all }
${more}
upstreams: { all: ["${echo.address}"], dns: ["${dns.address}"], web: ["${web.address}"] }
`;
    const cirque = await site.gateway(
      file(`
  - { address: "127.0.0.1:${tcp}", protocol: tcp, upstream: all }
  - { address: "127.0.0.1:${udp}", protocol: udp, upstream: dns }
  - { address: "127.0.0.1:${http}", upstream: web }
`),
    );
    const [held, flow] = [await HeldConnection.open(site, tcp), await HeldFlow.open(site, udp)];
    const request = httpExchange(http);
    await expect.poll(() => answers.length, { timeout: PATIENCE_MS }).toBe(1);
    site.configure(file(''));
    await cirque.hangUp();
    for (const port of [tcp, http]) {
      await expect.poll(() => tcpExchange(port).catch(String), { timeout: PATIENCE_MS }).toContain('ECONNREFUSED');
    }
    await held.works();
    await flow.works();
    answers[0]?.();
    expect(await request).toBe('late');
    expect(await tcpExchange(stays)).toBe('a');
    expect(cirque.errors).toEqual([]);
  });
});

it('who waits for a place gets one after a reload, too', async () => {
  const [echo, port] = [await MortalServer.echo(site, 'a'), await freePort()];
  const file = (size: number): string => `
listeners: [{ address: "127.0.0.1:${port}", protocol: tcp, upstream: all }]
upstreams: { all: { servers: ["${echo.address}"], max_connections: 1, queue: { size: ${size}, timeout: 30s } } }
`;
  const cirque = await site.gateway(file(10));
  const held = await HeldConnection.open(site, port);
  const waiting = Promise.all(Array.from({ length: 5 }, () => tcpExchange(port)));
  await expect.poll(() => cirque.stat('upstreams', 'all', 'waiting'), { timeout: PATIENCE_MS }).toBe(5);
  site.configure(file(11));
  await cirque.hangUp();
  held.close();
  expect(await waiting).toEqual(Array(5).fill('a'));
  expect(await tcpExchange(port)).toBe('a');
});
