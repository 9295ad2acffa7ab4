/**
 * dnsmasq behind a UDP and a TCP listener with one port number, asked by dig and by the resolver of Node.js.
 */
import { Resolver } from 'node:dns/promises';
import { requireTool } from '@cirque-internal/config/system-tools';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { runTool } from '../src/run-tool.ts';
import { PATIENCE_MS } from './src/exchanges.ts';
import { freePort } from './src/free-port.ts';
import type { GatewayProcess } from './src/gateway-process.ts';
import { LIMITS, Site } from './src/site.ts';

vi.setConfig(LIMITS);

const dnsmasq = requireTool('dnsmasq');
const dig = requireTool('dig');
const missing = [dnsmasq, dig].find(({ path }) => path === undefined);

/** So many addresses do not go into 512 bytes, and do go into 4,096. */
const MANY = 100;
const QUERIES = 10_000;
const AT_A_TIME = 50;

let site: Site;
let cirque: GatewayProcess;
let port: number;

async function ask(...words: readonly string[]): Promise<string> {
  const all = ['@127.0.0.1', '-p', String(port), '+tries=1', '+timeout=10', ...words];
  const { code, stdout, stderr } = await runTool(dig.path as string, all);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout;
}

const addressesIn = (text: string): number => text.match(/^many\.test\.\s.*\sA\s/gm)?.length ?? 0;

describe.skipIf(missing !== undefined)(`dns (${missing?.reason ?? 'present'})`, () => {
  beforeAll(async () => {
    site = new Site();
    port = await freePort();
    const many = Array.from({ length: MANY }, (_, index) => `10.1.0.${index + 1} many.test\n`);
    const hosts = site.file('hosts', many.join(''));
    const servers: string[] = [];
    for (let server = 1; server <= 2; server += 1) {
      const own = await freePort();
      const words = ['--keep-in-foreground', '--log-facility=-', '--conf-file=/dev/null', '--pid-file=', '--no-resolv'];
      const local = ['--no-hosts', `--addn-hosts=${hosts}`, '--address=/zone.test/10.0.0.1', '--edns-packet-max=4096'];
      const listens = ['--listen-address=127.0.0.1', '--bind-interfaces', `--port=${own}`];
      // It would become another user, who cannot read the folder.
      const user = process.getuid?.() === 0 ? ['--user=root'] : [];
      const program = site.program(dnsmasq.path as string, [...words, ...local, ...listens, ...user]);
      await program.says(/read .*hosts/);
      servers.push(`"127.0.0.1:${own}"`);
    }
    cirque = await site.gateway(`
listeners:
  - { name: udp, address: "127.0.0.1:${port}", protocol: udp, upstream: dns, responses: 1 }
  - { name: tcp, address: "127.0.0.1:${port}", protocol: tcp, upstream: dns }
upstreams: { dns: [${servers}] }
`);
  });
  afterAll(() => site?.close());

  it.each([
    ['UDP', '+notcp'],
    ['TCP', '+tcp'],
  ])('answers dig over %s', async (way, option) => {
    const answer = await ask('www.zone.test', option);
    expect(answer).toMatch(/^www\.zone\.test\.\s.*\sA\s+10\.0\.0\.1$/m);
    expect(answer).toMatch(new RegExp(`^;; SERVER: .*\\(${way}\\)$`, 'm'));
  });

  it('passes answers of more than 512 bytes on as one datagram', async () => {
    const answer = await ask('many.test', '+bufsize=4096', '+ignore');
    expect(addressesIn(answer)).toBe(MANY);
    expect(answer).toMatch(/^;; SERVER: .*\(UDP\)$/m);
    expect(Number(/MSG SIZE\s+rcvd: (\d+)/.exec(answer)?.[1])).toBeGreaterThan(1_500);
  });

  it('passes truncated answers on, after which clients come over TCP', async () => {
    const cut = await ask('many.test', '+noedns', '+ignore');
    expect(cut).toMatch(/^;; flags: .*\btc\b/m);
    expect(addressesIn(cut)).toBeLessThan(MANY);
    const whole = await ask('many.test', '+noedns');
    expect(whole).toContain(';; Truncated, retrying in TCP mode.');
    expect(addressesIn(whole)).toBe(MANY);
  });

  it('loses none of 10,000 queries', async () => {
    const counted = async (what: string): Promise<number> =>
      ((await cirque.stat('gateway', 'udp', 'datagrams')) as Record<string, number>)[what] ?? 0;
    const before = await counted('fromClient');
    let asked = 0;
    const client = async (): Promise<void> => {
      // Sent once: what is lost is a failure.
      const resolver = new Resolver({ timeout: 10_000, tries: 1 });
      resolver.setServers([`127.0.0.1:${port}`]);
      while (asked < QUERIES) {
        asked += 1;
        expect(await resolver.resolve4(`n${asked}.zone.test`)).toEqual(['10.0.0.1']);
      }
    };
    await Promise.all(Array.from({ length: AT_A_TIME }, client));
    expect(asked).toBe(QUERIES);
    expect((await counted('fromClient')) - before).toBe(QUERIES);
    await expect
      .poll(() => cirque.stat('gateway', 'udp', 'sessions'), { timeout: PATIENCE_MS })
      .toMatchObject({ open: 0 });
    expect(cirque.errors).toEqual([]);
  });

  it('answers what a client asks at once over one socket', async () => {
    const resolver = new Resolver({ timeout: 10_000, tries: 1 });
    resolver.setServers([`127.0.0.1:${port}`]);
    const names = Array.from({ length: 100 }, (_, index) => `same${index}.zone.test`);
    const answers = await Promise.all(names.map((name) => resolver.resolve4(name)));
    expect(answers).toEqual(names.map(() => ['10.0.0.1']));
  });
});
