/**
 * `cirque run -u` takes over from a running one under load: every exchange succeeds, open connections end when they please, flows of
 * UDP stay with their servers.
 */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { httpExchange, tcpExchange, udpExchange } from './src/exchanges.ts';
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

it.each([
  ['-u first', 1, 2],
  ['SIGQUIT first', 2, 1],
])('nobody notices, %s, from %i to %i threads', async (order, before, after) => {
  const [http, tcp, udp] = (await Promise.all(Array.from({ length: 3 }, freePort))) as [number, number, number];
  const [web, db] = [await MortalServer.http(site, 'web'), await MortalServer.echo(site, 'db')];
  const dns = [await UdpEcho.start(site, 'dns1'), await UdpEcho.start(site, 'dns2'), await UdpEcho.start(site, 'dns3')];
  const file = (threads: number): string => `
threads: ${threads}
grace_period_seconds: 60
listeners:
  - { address: "127.0.0.1:${http}", upstream: web }
  - { address: "127.0.0.1:${tcp}", protocol: tcp, upstream: db }
  - { address: "127.0.0.1:${udp}", protocol: udp, upstream: dns, idle_timeout: 4s }
upstreams: { web: ["${web.address}"], db: ["${db.address}"], dns: [${dns.map(({ address }) => `"${address}"`)}] }
`;
  const old = await site.gateway(file(before));
  const held = await HeldConnection.open(site, tcp);
  const flows = await Promise.all(Array.from({ length: 6 }, () => HeldFlow.open(site, udp)));
  const talks = flows.map((flow) => new Load(site, 1, () => flow.works()));
  const loads = [
    new Load(site, 3, () => httpExchange(http)),
    new Load(site, 3, () => tcpExchange(tcp)),
    new Load(site, 3, () => udpExchange(udp)),
  ];
  const everybody = (count: number): Promise<unknown> => Promise.all(loads.map((load) => load.more(count)));
  await everybody(30);

  const path = site.configure(file(after));
  if (order === 'SIGQUIT first') old.kill('SIGQUIT');
  const next = site.start(path, ['-u']);
  if (order === '-u first') old.kill('SIGQUIT');
  await next.says(/gateway ready/);
  await old.says(/a successor has taken over/);
  await everybody(60);
  await held.works();
  await Promise.all(talks.map((talk) => talk.more(10)));
  for (const talk of talks) await talk.stop();
  held.close();
  // With the last connection and the last flow, which ends when it is silent.
  expect(await old.exit).toBe(0);
  await everybody(30);
  for (const load of loads) await load.stop();

  expect([...loads, ...talks].flatMap(({ failures }) => failures)).toEqual([]);
  expect([...old.errors, ...next.errors]).toEqual([]);
  next.kill('SIGTERM');
  expect(await next.exit).toBe(0);
});
