import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '@cirque/core';
import { makeCa } from '@cirque/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { server, upstream } from '../../test/http-config.ts';
import type { HealthConfig, UpstreamConfig } from '../config/gateway-config.ts';
import { BALANCE_METHODS } from '../schema/balance-schema.ts';
import { UpstreamGroup } from './upstream-group.ts';

const open: UpstreamGroup[] = [];
const folders: string[] = [];

afterEach(() => {
  for (const group of open.splice(0)) group.dispose();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

function group(config: UpstreamConfig): UpstreamGroup {
  const made = new UpstreamGroup(config, { logger: silentLogger });
  open.push(made);
  return made;
}

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'cirque-upstream-'));
  folders.push(path);
  return path;
}

const facts = {
  digest: {
    socket: { remoteAddress: '192.0.2.1', remotePort: 1, localAddress: '192.0.2.9', localPort: 2 },
  },
  host: 'a.example',
};
const servers = ['10.0.0.1:80', '10.0.0.2:80', '10.0.0.3:80'];

describe('UpstreamGroup', () => {
  it.each(BALANCE_METHODS)('UpstreamGroup chooses by %s, also among a part of the servers', (method) => {
    for (const subset of [0, 2]) {
      const { balancer } = group(
        upstream('app', servers, {
          balance: { method, key: 'client_ip', subset, overload: 0.25, ipv4Prefix: 32, ipv6Prefix: 64 },
        }),
      );
      const chosen = new Set<string>();
      for (let n = 0; n < 200; n += 1) {
        const pick = balancer.pick(`192.0.2.${n}`);
        chosen.add(pick?.backend.address ?? 'nobody');
        pick?.done({ ok: true, latencyMs: 1 });
      }
      expect([...chosen].every((address) => servers.includes(address))).toBe(true);
      expect(chosen.size).toBeLessThanOrEqual(subset === 0 ? 3 : 2);
      expect(chosen.size).toBeGreaterThanOrEqual(subset === 0 ? 3 : 1);
    }
  });

  it('UpstreamGroup by source_ip takes the clients of a network for one, as the file says', () => {
    const balance = { method: 'source_ip' as const, key: 'client_ip', subset: 0, overload: 0.25 };
    const serversOf = (ipv4Prefix: number): number => {
      const { balancer } = group(upstream('app', servers, { balance: { ...balance, ipv4Prefix, ipv6Prefix: 64 } }));
      return new Set(Array.from({ length: 200 }, (_, n) => balancer.select(`192.0.2.${n}`)?.address)).size;
    };
    expect(serversOf(24)).toBe(1);
    expect(serversOf(32)).toBe(3);
  });

  it('UpstreamGroup has a key only where the method hashes one', () => {
    const keyed = BALANCE_METHODS.filter((method) => {
      const balance = { method, key: 'sni', subset: 0, overload: 0.25, ipv4Prefix: 32, ipv6Prefix: 64 };
      const made = group(upstream('app', servers, { balance }));
      const isKeyed = made.streamKey({ address: '192.0.2.1', serverName: 'a.example' }) === 'a.example';
      expect(made.requestKey !== undefined).toBe(isKeyed);
      return isKeyed;
    });
    expect(keyed).toEqual(['source_ip', 'fnv', 'consistent', 'bounded_consistent', 'rendezvous', 'maglev']);
  });

  it('UpstreamGroup takes weights, priorities, limits and states of servers over', () => {
    const { balancer } = group(
      upstream('app', [
        server('10.0.0.1:80', { state: 'maintenance' }),
        server('10.0.0.2:80', { weight: 3, maxConnections: 1 }),
        server('10.0.0.3:80', { priority: 1 }),
      ]),
    );
    const picks = [balancer.pick(''), balancer.pick(''), balancer.pick('')];
    expect(picks.map((pick) => pick?.backend.address)).toEqual(['10.0.0.2:80', '10.0.0.3:80', '10.0.0.3:80']);
    expect(balancer.stateOf('10.0.0.1:80')).toBe('maintenance');
    for (const pick of picks) pick?.done();
  });

  it('UpstreamGroup makes peers with the times of the file, and of a route', () => {
    const made = group(
      upstream('app', servers, { connectTimeoutMs: 1, readTimeoutMs: 2, writeTimeoutMs: 3, idleTimeoutMs: 4 }),
    );
    const backend = made.balancer.pick('')?.backend;
    if (backend === undefined) throw new Error('there is no backend');
    const { options } = made.httpPeer(backend, facts);
    expect(options).toMatchObject({ connectionTimeoutMs: 1, readTimeoutMs: 2, writeTimeoutMs: 3, idleTimeoutMs: 4 });
    expect(made.httpPeers(9).of(backend, facts).options.readTimeoutMs).toBe(9);
    expect(made.httpPeers(9)).toBe(made.httpPeers(9));
    const stream = made.streamPeer(backend, facts);
    expect(stream.options.connectionTimeoutMs).toBe(1);
    expect(made.streamPeer(backend, facts)).toBe(stream);
  });

  it.each([
    ['http1', 'h1'],
    ['http2', 'h2'],
    ['auto', 'h2h1'],
  ] as const)('UpstreamGroup speaks %s', (http, alpn) => {
    const made = group(upstream('app', servers, { http }));
    const backend = [...made.balancer.backends][0];
    if (backend === undefined) throw new Error('there is no backend');
    expect(made.httpPeer(backend, facts).options.alpn).toBe(alpn);
  });

  it('UpstreamGroup reads certificates once, and names those that it cannot', () => {
    const where = folder();
    const ca = makeCa('authority');
    const own = ca.issue({ names: ['gateway.example'] });
    const paths = { ca: join(where, 'ca.pem'), cert: join(where, 'cert.pem'), key: join(where, 'key.pem') };
    writeFileSync(paths.ca, ca.cert);
    writeFileSync(paths.cert, own.cert);
    writeFileSync(paths.key, own.key);
    const tls = {
      sni: 'app.example',
      verify: true,
      ca: paths.ca,
      clientCertificate: { cert: paths.cert, key: paths.key },
    };
    const made = group(upstream('app', servers, { tls }));
    const backend = [...made.balancer.backends][0];
    if (backend === undefined) throw new Error('there is no backend');
    for (const { options } of [made.httpPeer(backend, facts), made.streamPeer(backend, facts)]) {
      expect(options).toMatchObject({ tls: true, sni: 'app.example', verifyCert: true });
      expect(options.ca?.certificates).toEqual([ca.cert]);
      expect(options.clientCert?.cert).toBe(own.cert);
    }
    const missing = { ...tls, ca: join(where, 'none.pem') };
    expect(() => group(upstream('app', servers, { tls: missing }))).toThrow(
      /upstreams\.app\.tls\.ca ".*none\.pem" cannot be read \(ENOENT\): expected a file in PEM/,
    );
    const wrong = { ...tls, clientCertificate: { cert: paths.key, key: paths.key } };
    const error = (): unknown => group(upstream('app', servers, { tls: wrong })).httpPeer(backend, facts);
    expect(error).toThrow(/clientCert\.cert is not PEM/);
    expect(error).not.toThrow(/MII/);
  });

  const base = { intervalMs: 1_000, timeoutMs: 500, unhealthyAfter: 3, healthyAfter: 2 };
  const http = { ...base, kind: 'http', path: '/health', host: undefined, method: 'GET', body: undefined } as const;
  const CHECKS: readonly HealthConfig[] = [
    { ...base, kind: 'tcp' },
    { ...base, kind: 'tls', sni: 'app.example', verify: false },
    { ...http, statuses: [[200, 299]], tls: false },
    { ...http, statuses: [[200, 204]], tls: true, body: 'ok', host: 'app.example' },
    { ...base, kind: 'grpc', service: 'app.Service', tls: true },
  ];

  it.each(CHECKS)('UpstreamGroup checks by $kind', (health) => {
    const tls = { sni: undefined, verify: true, ca: undefined, clientCertificate: undefined };
    for (const speaks of [undefined, tls]) {
      const { balancer } = group(upstream('app', servers, { health, tls: speaks }));
      expect(balancer.healthCheckFrequencyMs).toBe(1_000);
    }
  });

  it('UpstreamGroup discovers where the file says so', async () => {
    const path = join(folder(), 'servers.json');
    writeFileSync(path, JSON.stringify(['10.0.0.7:80', { address: '10.0.0.8:80', weight: 2 }]));
    const { balancer } = group(upstream('app', [], { discovery: { kind: 'file', path } }));
    expect(balancer.pick('')).toBeUndefined();
    await balancer.update();
    expect([...balancer.backends].map(({ address, weight }) => [address, weight])).toEqual([
      ['10.0.0.7:80', 1],
      ['10.0.0.8:80', 2],
    ]);
    const lookup = { name: 'app.example', nameservers: ['127.0.0.1:5353'], minTtlMs: 1_000, maxTtlMs: 60_000 };
    group(upstream('a', [], { discovery: { kind: 'dns', port: 80, family: 4, ...lookup } }));
    group(upstream('b', [], { discovery: { kind: 'srv', ...lookup } }));
    const list = { kind: 'http', url: 'https://lists.example/app', intervalMs: 2_000, headers: { A: 'b' } } as const;
    expect(group(upstream('c', [], { discovery: list })).balancer.updateFrequencyMs).toBe(2_000);
  });

  it('UpstreamGroup knows where clients belong', () => {
    const sticky = { kind: 'source', ttlMs: 60_000, maxEntries: 10 } as const;
    const made = group(upstream('app', servers, { sticky }));
    const backend = made.balancer.pick('')?.backend;
    if (backend === undefined) throw new Error('there is no backend');
    made.remember('192.0.2.1', backend);
    made.remember(undefined, backend);
    expect(made.stickySource?.get('192.0.2.1')).toBe(backend.address);
    expect([made.isSticky, made.stickySource?.size]).toEqual([true, 1]);
    expect(group(upstream('app', servers)).isSticky).toBe(false);
  });
});
