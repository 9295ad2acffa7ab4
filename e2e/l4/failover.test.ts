/**
 * A server dies under load and comes back. New connections never fail while another one lives, and lost are exactly the connections
 * that were open at the dead one.
 */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { httpExchange, tcpExchange, udpExchange } from './src/exchanges.ts';
import { freePort } from './src/free-port.ts';
import type { GatewayProcess } from './src/gateway-process.ts';
import { HeldConnection } from './src/held-connection.ts';
import { Load } from './src/load.ts';
import { MortalServer } from './src/mortal-server.ts';
import { LIMITS, Site } from './src/site.ts';
import { UdpEcho } from './src/udp-echo.ts';

vi.setConfig(LIMITS);

const NAMES = ['a', 'b', 'c'] as const;
const CHECK = '{ tcp: true, interval: 200ms, timeout: 1s, unhealthy_after: 2, healthy_after: 1 }';

let site: Site;

beforeEach(() => {
  site = new Site();
});
afterEach(() => site.close());

interface Mortal {
  readonly name: string;
  readonly address: string;
  kill(): Promise<void>;
  revive(): Promise<void>;
}

/** A listener of this protocol before the servers. */
async function gateway(
  protocol: string,
  servers: readonly Mortal[],
  more = '',
): Promise<{ gateway: GatewayProcess; port: number }> {
  const port = await freePort();
  const list = servers.map(({ address }) => `"${address}"`).join(', ');
  const yaml = `
listeners: [{ name: front, address: "127.0.0.1:${port}", protocol: ${protocol}, upstream: all }]
upstreams: { all: { servers: [${list}]${more} } }
`;
  return { gateway: await site.gateway(yaml), port };
}

describe.each([
  ['tcp', MortalServer.echo, tcpExchange],
  ['http', MortalServer.http, httpExchange],
] as const)('%s', (protocol, start, exchange) => {
  it.each([
    ['with health checks', `, health: ${CHECK}`],
    ['without', ''],
  ])('no exchange that begins fails when a server dies and comes back, %s', async (_, health) => {
    const servers = await Promise.all(NAMES.map((name) => start(site, name)));
    const { gateway: process, port } = await gateway(protocol, servers, health);
    const load = new Load(site, 6, () => exchange(port));
    await load.more(60);
    await servers[1]?.kill();
    const died = performance.now();
    await load.more(90);
    if (health !== '') await process.says(/backend became unhealthy/);
    const over = performance.now();
    await servers[1]?.revive();
    if (health !== '') await process.says(/backend became healthy/);
    await load.answeredBy('b');
    await load.more(30);
    await load.stop();
    expect(load.failuresSince(died)).toEqual([]);
    // A GET that a dying server has not answered is asked again; a connection of TCP that was open there is lost.
    if (protocol === 'http') expect(load.failures).toEqual([]);
    const dead = load.answers.filter(({ name, begun, at }) => name === 'b' && begun > died && at < over);
    expect(dead).toEqual([]);
    expect(process.errors).toEqual([]);
  });
});

describe('tcp', () => {
  it('lost are the open connections of the dead server, and no others', async () => {
    const servers = await Promise.all(NAMES.map((name) => MortalServer.echo(site, name)));
    const { port } = await gateway('tcp', servers, `, health: ${CHECK}`);
    const held = await Promise.all(Array.from({ length: 60 }, () => HeldConnection.open(site, port)));
    const load = new Load(site, 4, () => tcpExchange(port));
    await load.more(40);
    await servers[1]?.kill();
    const died = performance.now();
    await load.more(80);
    await load.stop();
    expect(load.failuresSince(died)).toEqual([]);
    const lost = held.filter(({ isClosed }) => isClosed);
    expect(lost.map(({ name }) => name)).toEqual(held.filter(({ name }) => name === 'b').map(({ name }) => name));
    expect(lost).toHaveLength(20);
    await Promise.all(held.filter(({ isClosed }) => !isClosed).map((connection) => connection.works()));
  });

  it('a server that has come back gets its share slowly', async () => {
    const servers = await Promise.all(NAMES.map((name) => MortalServer.echo(site, name)));
    const { gateway: process, port } = await gateway('tcp', servers, `, slow_start: 3s, health: ${CHECK}`);
    const load = new Load(site, 6, () => tcpExchange(port));
    await load.more(30);
    await servers[1]?.kill();
    const died = performance.now();
    await process.says(/backend became unhealthy/);
    await servers[1]?.revive();
    const back = await load.answeredBy('b');
    await load.until(() => performance.now() > back + 3_200, 'the time that it takes');
    await load.more(200);
    await load.stop();
    expect(load.failuresSince(died)).toEqual([]);
    const [young, grown] = [
      load.share('b', back, back + 1_000),
      load.share('b', back + 3_200, Number.POSITIVE_INFINITY),
    ];
    // In the first second on average a quarter of a third; a third in the end.
    expect(young).toBeLessThan(0.22);
    expect(grown).toBeGreaterThan(0.28);
    expect(grown).toBeLessThan(0.39);
  });
});

describe('udp', () => {
  it('every new flow is answered while a server lives, and a dead one that lives again is used again', async () => {
    const servers = await Promise.all(NAMES.map((name) => UdpEcho.start(site, name)));
    const { port } = await gateway('udp', servers);
    const load = new Load(site, 6, () => udpExchange(port));
    await load.more(60);
    await servers[1]?.kill();
    const died = performance.now();
    await load.more(120);
    await servers[1]?.revive();
    await load.answeredBy('b');
    await load.stop();
    expect(load.failuresSince(died)).toEqual([]);
  });
});
