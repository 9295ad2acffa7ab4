/**
 * A thousand flows of UDP at a time, each with numbers of its own: nothing is lost, nothing comes to another, nothing is left.
 */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { freePort } from './src/free-port.ts';
import type { GatewayProcess } from './src/gateway-process.ts';
import { HeldFlow } from './src/held-flow.ts';
import { LIMITS, Site } from './src/site.ts';
import { UdpEcho } from './src/udp-echo.ts';

vi.setConfig(LIMITS);

const FLOWS = 1_000;
const ROUNDS = 5;
/** Datagrams under way at a time: what the buffers of the system hold by default. */
const AT_A_TIME = 100;

let site: Site;

beforeEach(() => {
  site = new Site();
});
afterEach(() => site.close());

/** Does it for all, so many at a time. */
async function forAll<T, R>(items: readonly T[], act: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let at = 0; at < items.length; at += AT_A_TIME) {
    results.push(...(await Promise.all(items.slice(at, at + AT_A_TIME).map(act))));
  }
  return results;
}

async function sessions(cirque: GatewayProcess): Promise<Record<string, number>> {
  return (await cirque.stat('gateway', 'echo', 'sessions')) as Record<string, number>;
}

async function play(threads: number): Promise<void> {
  const servers = await Promise.all(['a', 'b', 'c', 'd'].map((name) => UdpEcho.start(site, name)));
  const port = await freePort();
  const yaml = `
threads: ${threads}
listeners: [{ name: echo, address: "127.0.0.1:${port}", protocol: udp, upstream: echo, idle_timeout: 8s }]
upstreams: { echo: [${servers.map(({ address }) => `"${address}"`)}] }
`;
  const cirque = await site.gateway(yaml, `cirque-${threads}`);
  const flows = await forAll(Array.from({ length: FLOWS }), () => HeldFlow.open(site, port));
  expect(await sessions(cirque)).toMatchObject({ open: FLOWS, opened: FLOWS });
  for (let round = 0; round < ROUNDS; round += 1) await forAll(flows, (flow) => flow.works());

  // Each was answered each time (or works() would have failed), and each datagram came to a server once.
  expect(servers.reduce((sum, { received }) => sum + received, 0)).toBe(FLOWS * (ROUNDS + 1));
  for (const { name } of servers) {
    const share = flows.filter((flow) => flow.name === name).length;
    // Threads take turns each for itself; one of them may begin with the same server more often.
    expect(Math.abs(share - FLOWS / servers.length)).toBeLessThanOrEqual(threads);
  }
  await expect.poll(() => sessions(cirque), { timeout: 30_000 }).toMatchObject({ open: 0, opened: FLOWS });
  expect(await cirque.stat('gateway', 'echo', 'sessions', 'closed')).toMatchObject({ idle: FLOWS });
}

it('1,000 flows, and at the same time 1,000 at a gateway with two threads', async () => {
  await Promise.all([play(1), play(2)]);
});
