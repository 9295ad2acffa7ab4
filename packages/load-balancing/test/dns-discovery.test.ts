import { LeakCheck } from '@cirque/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type Discovered,
  DnsDiscovery,
  type DnsDiscoveryOptions,
  SrvDiscovery,
  type SrvDiscoveryOptions,
} from '../src/index.ts';
import { closeAll } from './cleanup.ts';
import { DnsServer } from './dns-server.ts';
import { until } from './servers.ts';

let leaks: LeakCheck;
let server: DnsServer;
beforeEach(async () => {
  leaks = LeakCheck.start();
  server = await DnsServer.start();
});
afterEach(async () => {
  await closeAll();
  await leaks.assertClean();
});

const shown = ({ backends }: Discovered): string[] =>
  Array.from(backends, ({ address, weight, priority }) => `${address} ${weight} ${priority}`);
const addresses = ({ backends }: Discovered): string[] => Array.from(backends, ({ address }) => address).sort();
/** The failure with all its causes, on one line. */
const chainOf = (result: Promise<unknown>): Promise<string> => result.then(() => 'no failure', String);

const name = 'app.example';
const dns = (options: Partial<DnsDiscoveryOptions> = {}): DnsDiscovery =>
  new DnsDiscovery({ name, port: 80, nameservers: [server.address], ...options });

describe('DnsDiscovery', () => {
  it('DnsDiscovery gives a backend for each address, and the shortest time to keep them', async () => {
    server.set(
      name,
      { type: 'A', address: '10.0.0.1', ttl: 60 },
      { type: 'A', address: '10.0.0.2', ttl: 90 },
      { type: 'AAAA', address: '2001:db8::5', ttl: 30 },
    );
    const found = await dns().discover();
    expect(addresses(found)).toEqual(['10.0.0.1:80', '10.0.0.2:80', '[2001:db8::5]:80']);
    expect(found.refreshAfterMs).toBe(30_000);
    expect(server.asked.sort()).toEqual([`${name} A`, `${name} AAAA`]);
  });

  it('DnsDiscovery sees what has changed, though its time is not over', async () => {
    const discovery = dns();
    server.set(name, { type: 'A', address: '10.0.0.1', ttl: 3_600 });
    await discovery.discover();
    server.set(name, { type: 'A', address: '10.0.0.2', ttl: 3_600 });
    expect(addresses(await discovery.discover())).toEqual(['10.0.0.2:80']);
  });

  it('DnsDiscovery keeps the time within its bounds', async () => {
    const discovery = dns({ minTtlMs: 5_000, maxTtlMs: 20_000 });
    for (const [ttl, refreshAfterMs] of [
      [0, 5_000],
      [10, 10_000],
      [86_400, 20_000],
    ] as const) {
      server.set(name, { type: 'A', address: '10.0.0.1', ttl });
      expect((await discovery.discover()).refreshAfterMs).toBe(refreshAfterMs);
    }
  });

  it.each([
    ['any', ['10.0.0.1:80', '[2001:db8::1]:80']],
    [4, ['10.0.0.1:80']],
    [6, ['[2001:db8::1]:80']],
  ] as const)('DnsDiscovery of family %s asks for that alone', async (family, expected) => {
    server.set(name, { type: 'A', address: '10.0.0.1', ttl: 60 }, { type: 'AAAA', address: '2001:db8::1', ttl: 60 });
    expect(addresses(await dns({ family }).discover())).toEqual(expected);
    expect(server.asked).toHaveLength(expected.length);
  });

  it('DnsDiscovery gives its backends the options of backends', async () => {
    server.set(name, { type: 'A', address: '10.0.0.1', ttl: 60 });
    const ext = new Map([['zone', 'a']]);
    const { backends } = await dns({ weight: 3, priority: 2, maxConnections: 9, ext }).discover();
    expect([...backends]).toMatchObject([{ weight: 3, priority: 2, maxConnections: 9, ext }]);
  });

  it('DnsDiscovery takes a longer answer by TCP', async () => {
    const records = Array.from({ length: 100 }, (_, i) => ({ type: 'A' as const, address: `10.0.1.${i}`, ttl: 60 }));
    server.set(name);
    server.zone.set(`${name} A`, { records, truncated: true });
    expect(addresses(await dns().discover())).toHaveLength(100);
    expect(server.tcpQuestions).toBe(1);
  });

  it('DnsDiscovery takes that there are no addresses for an error, unless told otherwise', async () => {
    server.set(name);
    await expect(dns().discover()).rejects.toThrow('the name app.example has no addresses');
    const empty = await dns({ allowEmpty: true }).discover();
    expect([addresses(empty), empty.refreshAfterMs]).toEqual([[], 30_000]);
  });

  it('DnsDiscovery takes that there is no such name for an error, whatever it was told', async () => {
    const result = dns({ allowEmpty: true }).discover();
    await expect(result).rejects.toMatchObject({ type: 'ConnectNoRoute', source: 'Upstream' });
    await expect(dns().discover()).rejects.toThrow('the name app.example does not exist');
  });

  it.each(['SERVFAIL', 'REFUSED'] as const)('DnsDiscovery fails with a name server that says %s', async (failure) => {
    server.fail(name, failure);
    const result = dns({ tries: 1, allowEmpty: true }).discover();
    const chain = await chainOf(result);
    expect(chain).toContain('cannot resolve app.example');
    expect(chain).toContain(`E${failure}`);
  });

  it('DnsDiscovery fails when only one of both families does: half an answer would drop backends', async () => {
    server.set(name, { type: 'A', address: '10.0.0.1', ttl: 60 });
    server.zone.set(`${name} AAAA`, { failure: 'SERVFAIL' });
    expect(await chainOf(dns({ tries: 1 }).discover())).toContain('ESERVFAIL');
    expect(addresses(await dns({ family: 4 }).discover())).toEqual(['10.0.0.1:80']);
  });

  it('DnsDiscovery fails when the name server is silent', async () => {
    server.fail(name, 'drop');
    expect(await chainOf(dns({ queryTimeoutMs: 50, tries: 1 }).discover())).toContain('ETIMEOUT');
  });

  it.each(['SERVFAIL', 'REFUSED', 'drop'] as const)('DnsDiscovery asks the next one after %s', async (failure) => {
    const broken = await DnsServer.start();
    broken.fail(name, failure);
    server.set(name, { type: 'A', address: '10.0.0.1', ttl: 60 });
    const discovery = dns({ nameservers: [broken.address, server.address], queryTimeoutMs: 300 });
    expect(addresses(await discovery.discover())).toEqual(['10.0.0.1:80']);
  });

  it('DnsDiscovery ends at once with the signal', async () => {
    server.fail(name, 'drop');
    const controller = new AbortController();
    const chain = chainOf(dns({ queryTimeoutMs: 60_000 }).discover(controller.signal));
    await until(() => server.asked.length === 2);
    controller.abort(new Error('shutdown'));
    expect(await chain).toContain('ECANCELLED');
    expect(await chainOf(dns().discover(controller.signal))).toContain('shutdown');
  });

  it.each<[Partial<DnsDiscoveryOptions>, RegExp]>([
    [{ name: '' }, /^name must be a DNS name, got ""$/],
    [{ name: '10.0.0.1' }, /^name must be a DNS name, got "10\.0\.0\.1"$/],
    [{ name: 'a b' }, /^name must be a DNS name/],
    [{ port: 0 }, /^port must be an integer from 1 to 65535, got 0$/],
    [{ port: undefined as unknown as number }, /^port must be an integer/],
    [{ nameservers: ['ns.example'] }, /^nameservers must be IP addresses, or IP:port, got \["ns\.example"\]$/],
    [{ family: 5 as 4 }, /^family must be 'any', 4 or 6, got 5$/],
    [{ tries: 0 }, /^tries must be an integer from 1 to 10, got 0$/],
    [{ queryTimeoutMs: 0 }, /^queryTimeoutMs must be an integer from 1/],
    [{ timeoutMs: 0 }, /^timeoutMs must be an integer from 1/],
    [{ maxTtlMs: 1 }, /^maxTtlMs must be at least minTtlMs/],
    [{ weight: -1 }, /^weight of backend 127\.0\.0\.1:80 must be an integer/],
    [{ priority: 99 }, /^priority of backend/],
  ])('DnsDiscovery refuses %j', (options, message) => {
    expect(() => dns(options)).toThrow(message);
  });
});

describe('SrvDiscovery', () => {
  const service = '_http._tcp.app.example';
  const srv = (options: Partial<SrvDiscoveryOptions> = {}): SrvDiscovery =>
    new SrvDiscovery({ name: service, nameservers: [server.address], family: 4, ...options });
  const record = (target: string, port: number, priority: number, weight: number) =>
    ({ type: 'SRV', target, port, priority, weight }) as const;
  const a = (address: string, ttl = 60) => ({ type: 'A', address, ttl }) as const;

  it('SrvDiscovery gives ports, weights and tiers, and the shortest time of the addresses', async () => {
    server.set(
      service,
      record('one.example', 8001, 10, 60),
      record('two.example', 8002, 10, 20),
      record('spare.example', 9000, 50, 0),
    );
    server.set('one.example', a('10.0.0.1', 120));
    server.set('two.example', a('10.0.0.2', 45));
    server.set('spare.example', a('10.0.0.9', 120));
    const found = await srv({ maxConnections: 5 }).discover();
    expect(shown(found).sort()).toEqual(['10.0.0.1:8001 3 0', '10.0.0.2:8002 1 0', '10.0.0.9:9000 1 1']);
    expect(found.refreshAfterMs).toBe(45_000);
    expect([...found.backends].every(({ maxConnections }) => maxConnections === 5)).toBe(true);
  });

  it('SrvDiscovery gives a target of weight 0 a very small share beside others', async () => {
    server.set(service, record('one.example', 80, 0, 0), record('two.example', 80, 0, 7));
    server.set('one.example', a('10.0.0.1'));
    server.set('two.example', a('10.0.0.2'));
    expect(shown(await srv().discover()).sort()).toEqual(['10.0.0.1:80 1 0', '10.0.0.2:80 100 0']);
  });

  it('SrvDiscovery lets the addresses of a target share its weight, and asks once for each target', async () => {
    server.set(
      service,
      record('one.example', 80, 0, 1),
      record('one.example', 81, 0, 1),
      record('two.example', 80, 0, 1),
    );
    server.set('one.example', a('10.0.0.1'), { type: 'AAAA', address: '2001:db8::1', ttl: 60 });
    server.set('two.example', a('10.0.0.2'));
    expect(shown(await srv({ family: 'any' }).discover()).sort()).toEqual([
      '10.0.0.1:80 1 0',
      '10.0.0.1:81 1 0',
      '10.0.0.2:80 2 0',
      '[2001:db8::1]:80 1 0',
      '[2001:db8::1]:81 1 0',
    ]);
    expect(server.asked.filter((question) => question === 'one.example A')).toHaveLength(1);
  });

  it('SrvDiscovery counts priorities from 0, and all beyond the last one as that', async () => {
    const records = Array.from({ length: 18 }, (_, i) => record('one.example', 1_000 + i, i * 100, 1));
    server.set(service, ...records);
    server.set('one.example', a('10.0.0.1'));
    const { backends } = await srv().discover();
    const byPort = new Map(Array.from(backends, (backend) => [backend.address.split(':')[1], backend.priority]));
    expect([
      byPort.get('1000'),
      byPort.get('1001'),
      byPort.get('1015'),
      byPort.get('1016'),
      byPort.get('1017'),
    ]).toEqual([0, 1, 15, 15, 15]);
  });

  it('SrvDiscovery leaves names to whoever connects, when told to', async () => {
    server.set(service, record('One.example', 80, 0, 1), record('two.example', 80, 0, 3));
    const found = await srv({ resolve: 'never' }).discover();
    expect(shown(found).sort()).toEqual(['one.example:80 1 0', 'two.example:80 3 0']);
    expect([found.refreshAfterMs, server.asked]).toEqual([30_000, [`${service} SRV`]]);
  });

  it('SrvDiscovery leaves out targets that do not exist or have no addresses', async () => {
    server.set(
      service,
      record('one.example', 80, 0, 1),
      record('gone.example', 80, 0, 1),
      record('none.example', 80, 0, 1),
    );
    server.set('one.example', a('10.0.0.1'));
    server.set('none.example');
    expect(shown(await srv().discover())).toEqual(['10.0.0.1:80 1 0']);
  });

  it('SrvDiscovery fails when a target cannot be asked for', async () => {
    server.set(service, record('one.example', 80, 0, 1), record('two.example', 80, 0, 1));
    server.set('one.example', a('10.0.0.1'));
    server.fail('two.example', 'SERVFAIL');
    expect(await chainOf(srv({ tries: 1 }).discover())).toContain('cannot resolve two.example');
  });

  it('SrvDiscovery takes that there are no servers for an error, unless told otherwise', async () => {
    await expect(srv({ allowEmpty: true }).discover()).rejects.toThrow(`the service ${service} does not exist`);
    // A target of the root says so in words (RFC 2782).
    for (const records of [[], [record('.', 80, 0, 1)]]) {
      server.set(service, ...records);
      await expect(srv().discover()).rejects.toThrow(`the service ${service} has no servers`);
      expect([...(await srv({ allowEmpty: true }).discover()).backends]).toEqual([]);
    }
  });

  it.each<[Partial<SrvDiscoveryOptions>, RegExp]>([
    [{ name: 'http/tcp' }, /^name must be a DNS name, got "http\/tcp"$/],
    [{ resolve: 'once' as 'never' }, /^resolve must be 'always' or 'never', got once$/],
    [{ maxConnections: -1 }, /^maxConnections of backend/],
    [{ minTtlMs: 0 }, /^minTtlMs must be/],
  ])('SrvDiscovery refuses %j', (options, message) => {
    expect(() => srv(options)).toThrow(message);
  });
});
