import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LeakCheck } from '@cirque/testing';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { DnsDiscovery, FileDiscovery, LoadBalancer } from '../src/index.ts';
import { closeAll, closeLater } from './cleanup.ts';
import { DnsServer } from './dns-server.ts';
import { until } from './servers.ts';

let leaks: LeakCheck;
let folder: string;
beforeEach(() => {
  leaks = LeakCheck.start();
  folder = mkdtempSync(join(tmpdir(), 'cirque-lb-'));
});
afterEach(async () => {
  await closeAll();
  rmSync(folder, { recursive: true });
  await leaks.assertClean();
});

const addresses = (balancer: LoadBalancer): string =>
  Array.from(balancer.backends, ({ address }) => address)
    .sort()
    .join(' ');

/** Runs the balancer's background work until the end of the test. */
function run(balancer: LoadBalancer): Promise<void> {
  const stop = new AbortController();
  return new Promise((ready) => {
    const background = balancer.start(stop.signal, ready);
    closeLater(async () => {
      stop.abort();
      await background;
    });
  });
}

it('LoadBalancer with FileDiscovery follows its file, and keeps its backends while that is broken', async () => {
  const path = join(folder, 'backends');
  const replace = (text: string): void => {
    writeFileSync(`${path}.new`, text);
    renameSync(`${path}.new`, path);
  };
  replace('10.0.0.1:80\n10.0.0.2:80\n');
  const failures: unknown[] = [];
  const logger = { debug() {}, info() {}, warn() {}, error: (details: object) => void failures.push(details) };
  const balancer = new LoadBalancer({ discovery: new FileDiscovery(path, { settleMs: 1, pollMs: 200 }), logger });
  await run(balancer);
  expect(addresses(balancer)).toBe('10.0.0.1:80 10.0.0.2:80');
  replace('10.0.0.2:80\n10.0.0.3:80 priority=1\n');
  await until(() => addresses(balancer) === '10.0.0.2:80 10.0.0.3:80', 20_000);
  expect(balancer.select('')?.address).toBe('10.0.0.2:80');
  replace('10.0.0.2:80\n10.0.0.');
  await until(() => failures.length > 0, 20_000);
  expect(addresses(balancer)).toBe('10.0.0.2:80 10.0.0.3:80');
  replace('10.0.0.4:80\n');
  await until(() => addresses(balancer) === '10.0.0.4:80', 20_000);
});

it('LoadBalancer with DnsDiscovery asks again when the time of the records is over', async () => {
  const server = await DnsServer.start();
  server.set('app.example', { type: 'A', address: '10.0.0.1', ttl: 0 });
  const discovery = new DnsDiscovery({
    name: 'app.example',
    port: 80,
    nameservers: [server.address],
    family: 4,
    minTtlMs: 50,
  });
  const balancer = new LoadBalancer({ discovery });
  await run(balancer);
  expect(addresses(balancer)).toBe('10.0.0.1:80');
  server.set('app.example', { type: 'A', address: '10.0.0.2', ttl: 0 }, { type: 'A', address: '10.0.0.3', ttl: 0 });
  await until(() => addresses(balancer) === '10.0.0.2:80 10.0.0.3:80', 20_000);
  server.fail('app.example', 'NXDOMAIN');
  const asked = server.asked.length;
  await until(() => server.asked.length > asked, 20_000);
  expect(addresses(balancer)).toBe('10.0.0.2:80 10.0.0.3:80');
});
