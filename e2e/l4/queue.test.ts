/**
 * A thousand connections for twenty places: those who may wait are served in the end, the others are told at once.
 */
import { createServer as createHttpServer } from 'node:http';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { httpExchange, PATIENCE_MS, tcpExchange } from './src/exchanges.ts';
import { freePort } from './src/free-port.ts';
import { HeldConnection } from './src/held-connection.ts';
import { MortalServer } from './src/mortal-server.ts';
import { LIMITS, Site } from './src/site.ts';

vi.setConfig(LIMITS);

const CLIENTS = 1_000;
const PLACES = 10;

let site: Site;

beforeEach(() => {
  site = new Site();
});
afterEach(() => site.close());

const outcomes = (exchanges: readonly Promise<string>[]): Promise<string[]> =>
  Promise.all(exchanges.map((exchange) => exchange.catch((error: Error) => error.message)));

function count(of: readonly string[], one: string): number {
  return of.filter((each) => each === one).length;
}

/** Keeps each request for a moment, so that they pile up. */
const slowHttp = (name: string): Promise<MortalServer> =>
  MortalServer.start(site, name, () =>
    createHttpServer((request, response) => {
      request.resume().on('end', () => setTimeout(() => response.end(name), 5));
    }),
  );

it.each([
  ['tcp', (name: string) => MortalServer.echo(site, name), tcpExchange],
  ['http', slowHttp, httpExchange],
] as const)(
  '%s: all are served when all may wait, and no server gets more than it may',
  async (protocol, start, exchange) => {
    const servers = [await start('a'), await start('b')];
    const port = await freePort();
    const cirque = await site.gateway(`
listeners: [{ address: "127.0.0.1:${port}", protocol: ${protocol}, upstream: all }]
upstreams:
  all:
    servers: [${servers.map(({ address }) => `"${address}"`)}]
    max_connections: ${PLACES}
    queue: { size: ${CLIENTS}, timeout: 30s }
`);
    const answers = await outcomes(Array.from({ length: CLIENTS }, () => exchange(port)));
    expect(count(answers, 'a') + count(answers, 'b')).toBe(CLIENTS);
    for (const { most } of servers) expect(most).toBeLessThanOrEqual(PLACES);
    expect(cirque.errors).toEqual([]);
    for (const { address } of servers) {
      expect(await cirque.stat('upstreams', 'all', 'byAddress', address)).toMatchObject({ inFlight: 0 });
    }
  },
);

it('who may not wait is told at once, and a place that becomes free is given to the first in the queue', async () => {
  const server = await MortalServer.echo(site, 'a');
  const web = await MortalServer.start(site, 'web', () => createHttpServer(() => {}));
  const [tcp, http] = [await freePort(), await freePort()];
  const cirque = await site.gateway(`
listeners:
  - { address: "127.0.0.1:${tcp}", protocol: tcp, upstream: db }
  - { address: "127.0.0.1:${http}", upstream: web }
upstreams:
  db: { servers: ["${server.address}"], max_connections: 2, queue: { size: 3, timeout: 30s } }
  web: { servers: ["${web.address}"], max_connections: 1, queue: { size: 0 } }
`);
  const held = [await HeldConnection.open(site, tcp), await HeldConnection.open(site, tcp)];
  const rest = Array.from({ length: 20 }, () => tcpExchange(tcp));
  const told = outcomes(rest);
  // Seventeen are closed without a byte; three wait.
  await expect.poll(() => cirque.stat('upstreams', 'db', 'waiting'), { timeout: PATIENCE_MS }).toBe(3);
  for (const connection of held) connection.close();
  const answers = await told;
  expect(count(answers, 'a')).toBe(3);
  expect(answers.filter((answer) => answer !== 'a').every((answer) => /^tcp: (closed|.*ECONNRESET)/.test(answer))).toBe(
    true,
  );

  const [first] = [httpExchange(http).catch(() => 'ended')];
  await expect.poll(() => web.open, { timeout: PATIENCE_MS }).toBe(1);
  await expect(httpExchange(http)).rejects.toThrow(/^http: 503/);
  await web.kill();
  await first;
});
