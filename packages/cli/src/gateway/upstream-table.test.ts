import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '@cirque/core';
import type { BalancerChange } from '@cirque/load-balancing';
import { makeCa } from '@cirque/testing';
import { afterEach, describe, expect, it } from 'vitest';
import type { UpstreamConfig } from '../config/gateway-config.ts';
import { gatewayConfigFromText } from '../config/load.ts';
import { UpstreamTable } from './upstream-table.ts';

const tables: UpstreamTable[] = [];

afterEach(() => {
  for (const table of tables.splice(0)) table.close();
});

function table(told: [string, BalancerChange][] = []): UpstreamTable {
  const one = new UpstreamTable(
    () => silentLogger,
    (name, change) => told.push([name, change]),
  );
  tables.push(one);
  return one;
}

function upstreams(yaml: string): Readonly<Record<string, UpstreamConfig>> {
  return gatewayConfigFromText(`listeners: [{ address: ":80", upstream: app }]\nupstreams:\n${yaml}`, 'test.yaml', {
    env: {},
  }).upstreams;
}

function take(one: UpstreamTable, yaml: string): void {
  one.commit(one.prepare(upstreams(yaml)));
}

describe('UpstreamTable', () => {
  it('UpstreamTable keeps a group whose configuration is the same, and makes others anew', () => {
    const one = table();
    take(one, '  app: ["127.0.0.1:1"]\n  b: ["127.0.0.1:2"]\n');
    const [app, b] = [one.find('app'), one.find('b')];
    take(one, '  app: ["127.0.0.1:1"]\n  b: ["127.0.0.1:3"]\n');
    expect(one.find('app')).toBe(app);
    expect(one.find('b')).not.toBe(b);
    take(one, '  app: ["127.0.0.1:1"]\n');
    expect(() => one.find('b')).toThrow('there is no upstream "b"');
  });

  it('UpstreamTable tells changes of groups that are in use, and of no others', () => {
    const told: [string, BalancerChange][] = [];
    const one = table(told);
    take(one, '  app: ["127.0.0.1:1"]\n');
    const old = one.find('app');
    old.balancer.setState('127.0.0.1:1', 'draining');
    const prepared = one.prepare(upstreams('  app: ["127.0.0.1:1", "127.0.0.1:2"]\n'));
    expect(told).toHaveLength(1);
    one.commit(prepared);
    old.balancer.setState('127.0.0.1:1', 'active');
    expect(told).toHaveLength(1);
    one.find('app').balancer.setState('127.0.0.1:2', 'maintenance');
    expect(told.at(-1)).toMatchObject(['app', { kind: 'state', address: '127.0.0.1:2', state: 'maintenance' }]);
  });

  it('UpstreamTable keeps what an operator has said of servers, but not what the file before has said', () => {
    const one = table();
    take(one, '  app: { servers: ["127.0.0.1:1", { address: "127.0.0.1:2", state: draining }] }\n');
    one.find('app').balancer.setState('127.0.0.1:1', 'maintenance');
    take(one, '  app: { servers: ["127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3"] }\n');
    const { balancer } = one.find('app');
    expect(balancer.stateOf('127.0.0.1:1')).toBe('maintenance');
    expect(balancer.stateOf('127.0.0.1:2')).toBe('active');
    expect(balancer.stateOf('127.0.0.1:3')).toBe('active');
  });

  it('UpstreamTable makes a group anew when its certificates have changed, and keeps it when they cannot be read', () => {
    const folder = mkdtempSync(join(tmpdir(), 'cirque-upstreams-'));
    try {
      const ca = `${folder}/ca.pem`;
      const yaml = `  app: { servers: ["127.0.0.1:1"], tls: { ca: ${ca} } }\n`;
      const one = table();
      writeFileSync(ca, makeCa('First').cert);
      take(one, yaml);
      const first = one.find('app');
      take(one, yaml);
      expect(one.find('app')).toBe(first);
      writeFileSync(ca, makeCa('Second').cert);
      take(one, yaml);
      const second = one.find('app');
      expect(second).not.toBe(first);
      rmSync(ca);
      take(one, yaml);
      expect(one.find('app')).toBe(second);
      expect(() => one.prepare(upstreams(`${yaml}${yaml.replace('app', 'new')}`))).toThrow(/tls\.ca .* cannot be read/);
      expect(one.find('app')).toBe(second);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('UpstreamTable finds the groups of a configuration before they have taken their place', () => {
    const one = table();
    take(one, '  app: ["127.0.0.1:1"]\n');
    const before = one.find('app');
    const { find, ...prepared } = one.prepare(upstreams('  app: ["127.0.0.1:2"]\n  b: ["127.0.0.1:3"]\n'));
    expect(find('app')).not.toBe(before);
    expect(find('b').balancer.select('')?.address).toBe('127.0.0.1:3');
    expect(() => find('c')).toThrow('there is no upstream "c"');
    one.discard({ find, ...prepared });
  });

  it('UpstreamTable ends the upkeep of groups that are being made when its own ends', async () => {
    const silent = createServer(() => {}).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    const one = table();
    take(one, '  app: ["127.0.0.1:1"]\n');
    const end = new AbortController();
    const ready = Promise.withResolvers<void>();
    const kept = one.keepUp(end.signal, ready.resolve);
    await ready.promise;
    expect(one.isOver).toBe(false);
    const slow = one.prepare(
      upstreams(`  app: { servers: ["127.0.0.1:${port}"], health: { http: /, timeout: 1m, interval: 2m } }\n`),
    );
    const warm = one.warmUp(slow);
    await once(silent, 'connection');
    end.abort();
    await Promise.all([warm, kept]);
    expect(one.isOver).toBe(true);
    one.discard(slow);
    silent.close();
    await once(silent, 'close');
  });

  it('UpstreamTable changes nothing by preparing', () => {
    const one = table();
    take(one, '  app: ["127.0.0.1:1"]\n');
    const before = one.find('app');
    one.discard(one.prepare(upstreams('  app: ["127.0.0.1:2"]\n')));
    expect(one.find('app')).toBe(before);
    expect(before.balancer.select('')?.address).toBe('127.0.0.1:1');
  });

  it('UpstreamTable copies what another thread has found', async () => {
    const main = table();
    const copy = table();
    const yaml = '  app: ["127.0.0.1:1", "127.0.0.1:2"]\n';
    take(main, yaml);
    take(copy, yaml);
    main.find('app').balancer.setState('127.0.0.1:1', 'draining');
    for (const [name, state] of Object.entries(main.snapshots())) copy.apply(name, structuredClone(state));
    expect(copy.find('app').balancer.stateOf('127.0.0.1:1')).toBe('draining');
    const many = Array.from({ length: 3_000 }, (_, i) => `"10.0.${i >> 8}.${i & 255}:1"`);
    take(main, `  app: [${many.join(', ')}]\n`);
    for (const [name, state] of Object.entries(main.snapshots())) copy.apply(name, structuredClone(state));
    expect(copy.find('app').balancer.backends.size).toBe(2);
    await copy.applied();
    expect(copy.find('app').balancer.backends.size).toBe(3_000);
    expect(() => copy.apply('gone', { kind: 'state', address: '127.0.0.1:1', state: 'active' })).not.toThrow();
  });
});
