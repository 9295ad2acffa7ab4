/**
 * What an operator does with curl while clients are served: clients with cookies stay with their server while it is drained, and leave it
 * for maintenance; `cirque top` shows it.
 */
import { requireTool } from '@cirque-internal/config/system-tools';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { runTool } from '../src/run-tool.ts';
import { httpExchange, PATIENCE_MS } from './src/exchanges.ts';
import { freePort } from './src/free-port.ts';
import { Load } from './src/load.ts';
import { MortalServer } from './src/mortal-server.ts';
import { LIMITS, Site } from './src/site.ts';

vi.setConfig(LIMITS);

const tool = requireTool('curl');
const MOST_CLIENTS = 12;

let site: Site;

beforeEach(() => {
  site = new Site();
});
afterEach(() => site.close());

async function curl(...words: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await runTool(tool.path as string, [
    '-sS',
    '--max-time',
    '10',
    '--noproxy',
    '*',
    ...words,
  ]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout;
}

describe.skipIf(tool.path === undefined)(`curl (${tool.reason ?? 'present'})`, () => {
  it('clients with cookies stay while their server is drained, and leave it for maintenance', {
    timeout: 60_000,
  }, async () => {
    const servers = await Promise.all(['a', 'b', 'c'].map((name) => MortalServer.http(site, name)));
    const port = await freePort();
    const cirque = await site.gateway(`
threads: 2
listeners: [{ name: web, address: "127.0.0.1:${port}", upstream: app }]
upstreams:
  app: { servers: [${servers.map(({ address }) => `"${address}"`)}], sticky: { cookie: stay, secret: sixteen letters! } }
`);
    const [a, b] = servers as [MortalServer, MortalServer, MortalServer];
    const visit = (client: number): Promise<string> => {
      const jar = site.path(`jar-${client}`);
      return curl('-b', jar, '-c', jar, `http://127.0.0.1:${port}/`);
    };
    const visits = (): Promise<string[]> => Promise.all(first.map((_, client) => visit(client)));
    const control = ['--unix-socket', site.controlPath()];
    const state = (server: MortalServer, ...change: readonly string[]): Promise<string> =>
      curl(...control, ...change, `http://localhost/upstreams/app/servers/${server.address}/state`);
    // So many that every server has one.
    const first: string[] = [];
    while (new Set(first).size < servers.length && first.length < MOST_CLIENTS) first.push(await visit(first.length));
    expect(new Set(first)).toEqual(new Set(['a', 'b', 'c']));
    expect(await visits()).toEqual(first);

    // Threads are told by the main one; new clients show when all of them know.
    const load = new Load(site, 3, () => httpExchange(port));
    expect(await state(a, '-X', 'PUT', '-d', 'draining')).toBe('draining\n');
    await load.more(60);
    const isWithout = (): boolean => load.answers.slice(-60).every(({ name }) => name !== 'a');
    await load.until(isWithout, 'no new client at a');
    expect(await visits()).toEqual(first);

    expect(await state(a, '-X', 'PUT', '-d', 'maintenance')).toBe('maintenance\n');
    await expect.poll(async () => (await visits()).includes('a'), { timeout: PATIENCE_MS }).toBe(false);
    const second = await visits();
    // Who was elsewhere has stayed; who had to move stays where he is now.
    for (const [client, name] of first.entries()) if (name !== 'a') expect(second[client]).toBe(name);
    expect(await visits()).toEqual(second);
    expect(await state(a)).toBe('maintenance\n');
    const top = await cirque.top();
    expect(top).toMatch(new RegExp(`app\\s+${a.address}\\s+maintenance\\s`));
    expect(top).toMatch(new RegExp(`app\\s+${b.address}\\s+up\\s`));
    expect(top).toMatch(/^web\s/m);

    expect(await state(a, '-X', 'PUT', '-d', 'active')).toBe('active\n');
    await load.answeredBy('a');
    expect(await visits()).toEqual(second);

    expect(await state(b, '-X', 'PUT', '-d', 'asleep')).toMatch(/^state "asleep" is unknown/);
    await load.stop();
    expect(load.failures).toEqual([]);
    expect(cirque.errors).toEqual([]);
  });
});
