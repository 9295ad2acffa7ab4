// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are the variables of a configuration file.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serverConfiguration } from '@cirque/core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  GatewayConfigError,
  type GatewayProblem,
  gatewayConfigFromText,
  type HttpListenerConfig,
  loadGatewayConfig,
  quickConfig,
} from '../src/index.ts';
import { LEAST, RICH } from './issue-examples.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'cirque-load-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const read = (text: string, env = {}) => gatewayConfigFromText(text, '/etc/cirque/cirque.yaml', { env });
const NO_EDITS = { remove: [], set: {}, add: {} };
const NO_MATCH = {
  hosts: undefined,
  path: undefined,
  exact: undefined,
  regex: undefined,
  methods: undefined,
  headers: {},
};
const server = (address: string, more = {}) => ({
  address,
  weight: 1,
  priority: 0,
  maxConnections: 0,
  state: 'active',
  ...more,
});

describe('gatewayConfigFromText', () => {
  test('gatewayConfigFromText fills in every default of the least file', () => {
    expect(read(LEAST)).toEqual({
      server: serverConfiguration(),
      control: undefined,
      listeners: [
        {
          protocol: 'http',
          name: '0.0.0.0:8080',
          address: '0.0.0.0:8080',
          tls: undefined,
          proxyProtocol: undefined,
          maxConnections: 0,
          maxConnectionsPerClient: 0,
          routes: [
            {
              name: 'routes[0]',
              match: NO_MATCH,
              action: {
                kind: 'proxy',
                upstream: 'app',
                rewrite: undefined,
                host: 'keep',
                retries: 2,
                readTimeoutMs: undefined,
              },
              requestHeaders: NO_EDITS,
              responseHeaders: NO_EDITS,
              maxBodyBytes: 0,
              compression: false,
            },
          ],
          http2: true,
          headTimeoutMs: 10_000,
          keepAliveTimeoutMs: 60_000,
          bodyTimeoutMs: 30_000,
          sendTimeoutMs: 60_000,
          requestTimeoutMs: 0,
          tunnelIdleTimeoutMs: 600_000,
          trustedProxies: [],
          forwarded: 'x-forwarded',
          requestIdHeader: undefined,
        },
      ],
      upstreams: {
        app: {
          name: 'app',
          balance: {
            method: 'round_robin',
            key: 'client_ip',
            subset: 0,
            overload: 0.25,
            ipv4Prefix: 32,
            ipv6Prefix: 64,
          },
          discovery: { kind: 'static', servers: [server('127.0.0.1:9000'), server('127.0.0.1:9001')] },
          health: undefined,
          passiveHealth: undefined,
          tls: undefined,
          http: 'http1',
          proxyProtocol: undefined,
          connectTimeoutMs: 5_000,
          readTimeoutMs: 60_000,
          writeTimeoutMs: 60_000,
          idleTimeoutMs: 60_000,
          maxConnections: 0,
          queueSize: 0,
          queueTimeoutMs: 5_000,
          slowStartMs: 0,
          panicThreshold: 0,
          sticky: undefined,
        },
      },
    });
  });

  test('gatewayConfigFromText gives plain data that can be passed to threads', () => {
    const config = read(RICH);
    expect(structuredClone(config)).toEqual(config);
    expect(JSON.stringify(config)).not.toContain('null');
  });

  test('gatewayConfigFromText reads listeners of every kind', () => {
    const [tcp, udp, web, sni] = read(RICH).listeners;
    expect(tcp).toMatchObject({ protocol: 'tcp', name: '[::]:5432', idleTimeoutMs: 600_000, retries: 3 });
    expect(udp).toEqual({
      protocol: 'udp',
      name: '0.0.0.0:53/udp',
      address: '0.0.0.0:53',
      upstream: 'dns',
      idleTimeoutMs: 60_000,
      responses: 1,
      maxSessions: 65_536,
      maxSessionsPerClient: 0,
    });
    expect(web).toMatchObject({
      name: 'web',
      requestIdHeader: 'X-Request-ID',
      proxyProtocol: { trusted: ['10.0.0.0/8'] },
      tls: {
        certificate: { cert: '/etc/cirque/a.pem', key: '/etc/cirque/a.key' },
        hosts: { 'b.example': { cert: '/etc/cirque/b.pem', key: '/etc/cirque/b.key' } },
        minVersion: 'TLSv1.2',
        clientCertificate: 'none',
        clientCa: undefined,
      },
    });
    expect(sni).toMatchObject({
      routes: [
        { name: 'routes[0]', sni: ['*.a.example', 'a.example'], clients: ['10.0.0.0/8'], upstream: 'passthrough' },
        { name: 'rest', alpn: ['h2'], sni: undefined, upstream: 'etcd' },
      ],
    });
  });

  test('gatewayConfigFromText reads routes', () => {
    const { routes } = read(RICH).listeners[2] as HttpListenerConfig;
    expect(routes).toMatchObject([
      {
        match: {
          hosts: ['b.example'],
          path: '/api',
          methods: ['GET'],
          headers: { 'x-beta': { exact: '1', present: undefined }, 'x-debug': { exact: undefined, present: false } },
        },
        action: {
          kind: 'proxy',
          upstream: 'app',
          rewrite: { stripPrefix: '/api', addPrefix: undefined },
          retries: 1,
          readTimeoutMs: 30_000,
          host: 'upstream',
        },
        requestHeaders: { set: { 'X-Real-IP': '${client_ip}' }, remove: ['Cookie'], add: {} },
        compression: true,
        maxBodyBytes: 10_485_760,
      },
      { match: { regex: '^/old/(.*)$' }, action: { kind: 'redirect', location: '/new/$1', status: 301 } },
      { action: { kind: 'respond', status: 404, body: 'nothing here\n', contentType: 'text/plain; charset=utf-8' } },
    ]);
  });

  test('gatewayConfigFromText reads upstreams', () => {
    const { app, db, dns, passthrough, etcd, spare } = read(RICH).upstreams;
    expect(app).toMatchObject({
      discovery: {
        servers: [
          server('127.0.0.1:9000'),
          server('127.0.0.1:9001', { weight: 3, maxConnections: 100 }),
          server('127.0.0.1:9002', { priority: 1 }),
        ],
      },
      balance: { method: 'consistent', key: 'header:X-User' },
      health: { kind: 'http', path: '/healthz', intervalMs: 2_000, statuses: [[200, 299]], body: 'ok', tls: false },
      passiveHealth: { consecutiveFailures: 5, maxEjectedShare: 0.1 },
      sticky: { kind: 'cookie', name: 'session_route', ttlMs: 3_600_000, path: '/' },
      queueSize: 100,
      queueTimeoutMs: 2_000,
      slowStartMs: 30_000,
      panicThreshold: 0.5,
    });
    expect(db).toMatchObject({
      discovery: { kind: 'dns', name: 'db.internal', port: 5_432, family: 'any', minTtlMs: 1_000, maxTtlMs: 300_000 },
      health: { kind: 'tcp', intervalMs: 5_000, timeoutMs: 2_000, unhealthyAfter: 3, healthyAfter: 2 },
      sticky: { kind: 'source', ttlMs: 300_000, maxEntries: 100_000 },
    });
    expect(dns?.discovery).toEqual({ kind: 'static', servers: [server('10.0.0.2:53')] });
    expect(passthrough?.discovery).toMatchObject({ kind: 'srv', name: '_tls._tcp.a.example' });
    expect(etcd).toMatchObject({
      discovery: { kind: 'http', url: 'https://discovery.example/etcd', intervalMs: 30_000, headers: {} },
      tls: { ca: '/etc/cirque/ca.pem', verify: true },
      health: { kind: 'grpc', service: 'my.Service', tls: true },
    });
    expect(spare).toMatchObject({
      discovery: { kind: 'file', path: '/etc/cirque/backends.json' },
      health: { kind: 'http', path: '/up', tls: true },
    });
  });

  test.each<[string, object]>([
    ['health: tcp', { health: { kind: 'tcp' } }],
    ['health: { tcp: {} }', { health: { kind: 'tcp' } }],
    ['health: { tls: {} }', { health: { kind: 'tls', verify: true, sni: undefined } }],
    ['health: { grpc: true, interval: 1s }', { health: { kind: 'grpc', service: '', intervalMs: 1_000 } }],
    [
      'health: { http: /, status: [200, 300-302] }',
      {
        health: {
          statuses: [
            [200, 200],
            [300, 302],
          ],
        },
      },
    ],
    ['passive_health: false', { passiveHealth: undefined }],
    ['passive_health: { error_rate: 50% }', { passiveHealth: { errorRate: 0.5, consecutiveFailures: 5 } }],
    ['sticky: { source: true }', { sticky: { kind: 'source', ttlMs: 600_000 } }],
    ['queue: 5', { queueSize: 5, queueTimeoutMs: 5_000 }],
    ['proxy_protocol: v2', { proxyProtocol: 2 }],
    ['tls: false', { tls: undefined }],
    ['balance: { method: bounded_consistent, overload: 0.5, key: path }', { balance: { overload: 0.5, key: 'path' } }],
  ])('gatewayConfigFromText reads the form %s', (form, expected) => {
    const text = `listeners: [{ address: ":80", upstream: app }]\nupstreams:\n  app:\n    servers: [a:1]\n    ${form}\n`;
    expect(read(text).upstreams.app).toMatchObject(expected);
  });

  test('gatewayConfigFromText takes keys of core, whose paths begin in the folder of the file', () => {
    const { server, control } = read(
      `${LEAST}max_retries: 3\naccess_log: log/access.log\nerror_log: ""\ncontrol: unix:c.sock\n`,
    );
    expect(server).toEqual(serverConfiguration({ maxRetries: 3, accessLog: '/etc/cirque/log/access.log' }));
    expect(control).toBe('unix:/etc/cirque/c.sock');
  });

  test('gatewayConfigFromText makes the paths of unix sockets absolute, and names the listener so', () => {
    const { listeners, upstreams } = read(
      'listeners: [{ address: "unix:run/a.sock", upstream: app }]\nupstreams: { app: ["unix:b.sock"] }\n',
    );
    expect(listeners[0]).toMatchObject({ address: 'unix:/etc/cirque/run/a.sock', name: 'unix:/etc/cirque/run/a.sock' });
    expect(upstreams.app?.discovery).toMatchObject({ servers: [server('unix:/etc/cirque/b.sock')] });
  });

  test('gatewayConfigFromText puts backups behind every priority', () => {
    const servers =
      '[{ address: "a:1", priority: 3 }, { address: "b:1", backup: true }, { address: "c:1", priority: 1 }]';
    const { upstreams } = read(
      `listeners: [{ address: ":80", upstream: app }]\nupstreams: { app: { servers: ${servers} } }\n`,
    );
    expect(upstreams.app?.discovery).toMatchObject({ servers: [{ priority: 3 }, { priority: 4 }, { priority: 1 }] });
  });

  test('gatewayConfigFromText takes short forms of whole listeners', () => {
    const { listeners } = read(
      'listeners:\n  - { address: 80, redirect: "https://$${x}${host}${path}${query}" }\n  - { address: 81, respond: 204 }\n',
    );
    expect(listeners).toMatchObject([
      { address: '[::]:80', routes: [{ action: { location: 'https://$${x}${host}${path}${query}', status: 302 } }] },
      { address: '[::]:81', routes: [{ action: { kind: 'respond', status: 204, body: '' } }] },
    ]);
  });

  test('gatewayConfigFromText takes anchors, merges and keys that begin with x-', () => {
    const text = `
x-server: &server { balance: random, connect_timeout: 1s }
listeners: [{ address: ":80", upstream: app }]
upstreams:
  app: { <<: *server, servers: [a:1], connect_timeout: 2s }
`;
    expect(read(text).upstreams.app).toMatchObject({ balance: { method: 'random' }, connectTimeoutMs: 2_000 });
  });

  test('gatewayConfigFromText types values of the environment as YAML would', () => {
    const text =
      'listeners: [{ address: ":${PORT}", upstream: app, http2: "${H2}" }]\nupstreams: { app: ["${HOST:-a}:1"] }\n';
    expect(() => read(text, { PORT: '80', H2: 'false' })).toThrow(/http2 must be true or false, got the value of/);
    const block =
      'listeners:\n  - address: :${PORT}\n    upstream: app\n    http2: ${H2}\nupstreams: { app: ["${HOST:-a}:1"] }\n';
    const { listeners, upstreams } = read(block, { PORT: '80', H2: 'false' });
    expect(listeners[0]).toMatchObject({ address: '[::]:80', http2: false });
    expect(upstreams.app?.discovery).toMatchObject({ servers: [{ address: 'a:1' }] });
  });

  test('gatewayConfigFromText warns of routes that are never reached and of upstreams that nothing uses', () => {
    const warnings: GatewayProblem[] = [];
    gatewayConfigFromText(
      'listeners:\n  - address: :80\n    routes:\n      - respond: 200\n      - respond: 404\nupstreams:\n  app: [a:1]\n',
      'x.yaml',
      { warn: (warning) => warnings.push(warning) },
    );
    expect(warnings.map(({ line, column, path, message }) => [line, column, path, message])).toEqual([
      [5, 9, 'listeners[0].routes[1]', 'is never reached: routes[0] before it fits everything'],
      [7, 3, 'upstreams.app', 'is used by no listener'],
    ]);
  });

  test('gatewayConfigFromText throws problems as data', () => {
    const failure = (): void => void read('listeners: 5\ntreads: 1\n');
    expect(failure).toThrow(GatewayConfigError);
    try {
      failure();
    } catch (error) {
      const { problems, file } = error as GatewayConfigError;
      expect(file).toBe('/etc/cirque/cirque.yaml');
      expect(problems).toEqual([
        {
          file: '/etc/cirque/cirque.yaml',
          line: 1,
          column: 12,
          key: 'listeners',
          path: 'listeners',
          message: 'must be a list, got 5',
        },
        expect.objectContaining({ line: 2, column: 1, path: 'treads' }),
      ]);
    }
  });
});

describe('gatewayConfigFromText: times and limits', () => {
  test('gatewayConfigFromText has a default for each of them', () => {
    const { listeners, upstreams } = read(`
listeners:
  - { address: ":80", upstream: app }
  - { address: ":81", protocol: tcp, upstream: app, idle_timeout: 3m }
  - { address: ":82", protocol: udp, upstream: app }
upstreams: { app: { servers: ["127.0.0.1:1"], balance: source_ip } }
`);
    expect(listeners[0]).toMatchObject({ bodyTimeoutMs: 30_000, sendTimeoutMs: 60_000 });
    expect(listeners[1]).toMatchObject({ idleTimeoutMs: 180_000, halfCloseTimeoutMs: 180_000 });
    expect(listeners[2]).toMatchObject({ maxSessions: 65_536, maxSessionsPerClient: 0 });
    expect(upstreams.app?.balance).toMatchObject({ method: 'source_ip', ipv4Prefix: 32, ipv6Prefix: 64 });
  });

  test('gatewayConfigFromText takes what is said', () => {
    const { listeners, upstreams } = read(`
listeners:
  - { address: ":80", upstream: app, body_timeout: 5s, send_timeout: 0 }
  - { address: ":81", protocol: tcp, upstream: app, half_close_timeout: 30s }
  - { address: ":82", protocol: udp, upstream: app, max_sessions_per_client: 8 }
upstreams: { app: { servers: ["127.0.0.1:1"], balance: { method: source_ip, ipv4_prefix: 24, ipv6_prefix: 48 } } }
`);
    expect(listeners[0]).toMatchObject({ bodyTimeoutMs: 5_000, sendTimeoutMs: 0 });
    expect(listeners[1]).toMatchObject({ idleTimeoutMs: 600_000, halfCloseTimeoutMs: 30_000 });
    expect(listeners[2]).toMatchObject({ maxSessionsPerClient: 8 });
    expect(upstreams.app?.balance).toMatchObject({ ipv4Prefix: 24, ipv6Prefix: 48 });
  });
});

describe('loadGatewayConfig', () => {
  test('loadGatewayConfig reads a file, relative to whose folder paths are', () => {
    const path = join(folder, 'cirque.yaml');
    writeFileSync(path, `${LEAST}ca_file: ca.pem\n`);
    expect(loadGatewayConfig(path, { env: {} }).server.caFile).toBe(join(folder, 'ca.pem'));
  });

  test('loadGatewayConfig says why a file cannot be read', () => {
    const missing = join(folder, 'missing.yaml');
    expect(() => loadGatewayConfig(missing)).toThrow(`${missing}: cannot be read: ENOENT`);
    const binary = join(folder, 'binary.yaml');
    writeFileSync(binary, Buffer.from([0x61, 0xff, 0xfe]));
    expect(() => loadGatewayConfig(binary)).toThrow(GatewayConfigError);
    const large = join(folder, 'large.yaml');
    writeFileSync(large, Buffer.alloc(4_194_305, '#'));
    expect(() => loadGatewayConfig(large)).toThrow(/at most 4194304 are read/);
  });

  test('loadGatewayConfig takes a reader', () => {
    expect(loadGatewayConfig('any', { read: () => LEAST, env: {} }).listeners).toHaveLength(1);
  });
});

describe('quickConfig', () => {
  test('quickConfig passes everything on', () => {
    const { listeners, upstreams } = quickConfig({ upstream: ['127.0.0.1:9000', '[::1]:9001'] });
    expect(listeners).toMatchObject([{ address: '[::]:8080', routes: [{ action: { upstream: 'upstream' } }] }]);
    expect(upstreams.upstream?.discovery).toMatchObject({
      servers: [{ address: '127.0.0.1:9000' }, { address: '[::1]:9001' }],
    });
    expect(quickConfig({ upstream: ['a:1'], listen: '127.0.0.1:80' }).listeners[0]?.address).toBe('127.0.0.1:80');
  });

  test('quickConfig refuses what is no address', () => {
    expect(() => quickConfig({ upstream: ['localhost'] })).toThrow(
      /command line:1:\d+: upstreams.upstream\[0\] must be the address/,
    );
    expect(() => quickConfig({ upstream: [] })).toThrow(/must have at least 1 entry/);
  });
});
