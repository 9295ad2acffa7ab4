import { afterEach, expect, test } from 'vitest';
import { defineUdp } from '../src/udp-proxy.ts';
import { Peer, RunningUdp } from './udp-site.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function peer(host?: string): Promise<Peer> {
  const made = await Peer.bind(host);
  cleanups.push(() => made.close());
  return made;
}

async function running<Ctx>(...args: Parameters<typeof RunningUdp.start<Ctx>>): Promise<RunningUdp<Ctx>> {
  const started = await RunningUdp.start<Ctx>(...args);
  cleanups.push(() => started.stopFast());
  return started;
}

test.each([
  ['127.0.0.1:0', '127.0.0.1', '127.0.0.1'],
  ['[::1]:0', '::1', '::1'],
  ['[::1]:0', '::1', '127.0.0.1'],
  ['0.0.0.0:0', '127.0.0.1', '127.0.0.1'],
  ['[::]:0', '127.0.0.1', '::1'],
  ['[::]:0', '::1', '127.0.0.1'],
])('udpProxyService on %s: clients at %s, upstreams at %s, datagrams both ways', async (address, at, upstreamAt) => {
  const upstream = (await peer(upstreamAt)).answering((bytes) => `echo ${bytes}`);
  const proxy = await running(defineUdp({ upstreamPeer: () => upstream.address }), {}, [address]);
  const client = await peer(at);
  const to = { host: at, port: proxy.address.port };
  for (const text of ['a', 'b', '', 'c']) expect(await client.ask(text, to)).toBe(`echo ${text}`);
  expect(proxy.count('sessions.opened')).toBe(1);
  expect(proxy.count('sessions.ownSockets')).toBe(1);
  expect(client.received.map(({ from }) => from.port)).toEqual(Array(4).fill(to.port));
});
