import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { type Logger, Server, serverConfiguration, silentLogger } from '@cirque/core';
import { backgroundService } from '@cirque/load-balancing';
import { afterEach, describe, expect, it } from 'vitest';
import type { GatewayConfig } from '../config/gateway-config.ts';
import { gatewayConfigFromText } from '../config/load.ts';
import { Gateway } from './gateway.ts';

const cleanups: (() => Promise<unknown> | unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** What was logged as an error or as a fact. */
interface Line {
  readonly facts: Record<string, unknown>;
  readonly message: string;
}

function loggerInto(lines: Line[]): Logger {
  const write = (facts: unknown, message = ''): void => {
    lines.push({ facts: facts as Line['facts'], message });
  };
  const logger: Logger = { ...silentLogger, info: write, warn: write, error: write };
  return { ...logger, child: () => silentLogger };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Says its name to whoever comes; ends with the test. */
async function named(name: string): Promise<number> {
  const server = createServer((socket) => socket.on('error', () => {}).end(name)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanups.push(() => void server.close());
  return (server.address() as AddressInfo).port;
}

/** What a connection is told, or why there was none. */
async function told(port: number, send = ''): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  try {
    let text = '';
    socket.setEncoding('latin1').on('data', (more: string) => {
      text += more;
    });
    socket.write(send);
    await once(socket, 'close');
    return text;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'error';
  } finally {
    socket.destroy();
  }
}

async function asked(port: number): Promise<string | undefined> {
  const answer = await told(port, 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
  return answer.split('\r\n\r\n')[1];
}

function config(text: string): GatewayConfig {
  return gatewayConfigFromText(text, 'test.yaml', { env: {} });
}

interface Running {
  readonly gateway: Gateway;
  readonly lines: Line[];
  stop(): Promise<void>;
}

/** A gateway in a server of this process. */
async function running(text: string): Promise<Running> {
  const lines: Line[] = [];
  const server = new Server({ logger: silentLogger }, {});
  const gateway = new Gateway({ logger: loggerInto(lines), configuration: () => server.configuration });
  gateway.begin(config(text));
  const upkeep = server.addService(backgroundService(gateway.name, gateway));
  server.addService(gateway.listeners).addDependency(upkeep);
  const ready = Promise.withResolvers<void>();
  server.onPhase((phase) => {
    if (phase === 'Running') ready.resolve();
  });
  const end = new AbortController();
  const run = server.run({ fast: end.signal });
  const stop = async (): Promise<void> => {
    end.abort();
    await run;
  };
  cleanups.push(stop);
  await Promise.race([ready.promise, run]);
  return { gateway, lines, stop };
}

describe('Gateway: change', () => {
  it('Gateway opens listeners whose upstreams come with the same configuration', async () => {
    const [first, added, a, b] = [await freePort(), await freePort(), await named('a'), await named('b')];
    const one = `listeners:\n  - { address: "127.0.0.1:${first}", protocol: tcp, upstream: a }\n`;
    const upstreams = `upstreams:\n  a: ["127.0.0.1:${a}"]\n`;
    const { gateway } = await running(one + upstreams);
    const http = `  - { address: "127.0.0.1:${added}", routes: [{ match: /x, proxy: b }, { respond: two }] }\n`;
    await gateway.change(config(`${one}${http}${upstreams}  b: ["127.0.0.1:${b}"]\n`));
    expect(await told(first)).toBe('a');
    expect(await asked(added)).toBe('two');
  });

  it('Gateway gives a replaced listener the upstreams of its own configuration', async () => {
    const [port, a, b] = [await freePort(), await freePort(), await freePort()];
    const file = (server: number, more = ''): string =>
      `listeners: [{ address: "127.0.0.1:${port}", upstream: app${more} }]\nupstreams: { app: ["127.0.0.1:${server}"] }\n`;
    const { gateway } = await running(file(a));
    const old = gateway.upstreams.find('app');
    await gateway.change(config(file(b, ', keep_alive_timeout: 1s')));
    const next = gateway.upstreams.find('app');
    expect(next).not.toBe(old);
    expect(await told(port, 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')).toMatch(/^HTTP\/1\.1 502 /);
    const failures = Object.keys(next.balancer.stats().byAddress);
    expect(failures).toEqual([`127.0.0.1:${b}`]);
    expect(next.balancer.counters()).not.toEqual(old.balancer.counters());
  });

  it('Gateway changes nothing when one part cannot be', async () => {
    const [port, other, free] = [await freePort(), await freePort(), await freePort()];
    const [a, b, taken] = [await named('a'), await named('b'), await named('taken')];
    const tcp = (at: number, upstream: string): string =>
      `{ address: "127.0.0.1:${at}", protocol: tcp, upstream: ${upstream} }`;
    const servers = `upstreams: { a: ["127.0.0.1:${a}"], b: ["127.0.0.1:${b}"] }\n`;
    const { gateway } = await running(`listeners: [${tcp(port, 'a')}, ${tcp(other, 'b')}]\n${servers}`);
    const before = gateway.config;
    const next = `listeners: [${tcp(port, 'b')}, ${tcp(free, 'a')}, ${tcp(taken, 'a')}]\n`;
    const group = gateway.upstreams.find('a');
    const change = gateway.change(config(`${next}upstreams: { a: ["127.0.0.1:${b}"], b: ["127.0.0.1:${b}"] }\n`));
    await expect(change).rejects.toThrow(new RegExp(`127\\.0\\.0\\.1:${taken} .*EADDRINUSE`));
    expect(gateway.config).toBe(before);
    expect(gateway.upstreams.find('a')).toBe(group);
    expect([await told(port), await told(other), await told(free)]).toEqual(['a', 'b', 'ECONNREFUSED']);
  });

  it('Gateway takes changes that come quickly one after the other, in order', async () => {
    const ports = [await freePort(), await freePort(), await freePort()];
    const a = await named('a');
    const file = (...at: number[]): GatewayConfig =>
      config(
        `listeners: [${at.map((port) => `{ address: "127.0.0.1:${port}", protocol: tcp, upstream: a }`).join(', ')}]\n` +
          `upstreams: { a: ["127.0.0.1:${a}"] }\n`,
      );
    const [x, y, z] = ports as [number, number, number];
    const { gateway, lines } = await running(
      `listeners: [{ address: "127.0.0.1:${x}", protocol: tcp, upstream: a }]\nupstreams: { a: ["127.0.0.1:${a}"] }\n`,
    );
    await Promise.all([gateway.change(file(x, y)), gateway.change(file(y, z)), gateway.change(file(z, x))]);
    expect([await told(x), await told(y), await told(z)]).toEqual(['a', 'ECONNREFUSED', 'a']);
    expect(lines.map(({ message }) => message)).toEqual(Array(3).fill('gateway configuration in force'));
  });

  it('Gateway lets a listener have another name, and names change places', async () => {
    const [x, y] = [await freePort(), await freePort()];
    const [a, b] = [await named('a'), await named('b')];
    const servers = `upstreams: { a: ["127.0.0.1:${a}"], b: ["127.0.0.1:${b}"] }\n`;
    const one = (name: string, at: number, upstream: string): string =>
      `{ name: ${name}, address: "127.0.0.1:${at}", protocol: tcp, upstream: ${upstream} }`;
    const { gateway, lines } = await running(`listeners: [${one('p', x, 'a')}, ${one('q', y, 'b')}]\n${servers}`);
    await gateway.change(config(`listeners: [${one('r', x, 'a')}, ${one('q', y, 'b')}]\n${servers}`));
    expect(lines.at(-1)?.facts).toMatchObject({ kept: 1, added: [], removed: [], replaced: ['r'] });
    await gateway.change(config(`listeners: [${one('q', x, 'a')}, ${one('r', y, 'b')}]\n${servers}`));
    expect([await told(x), await told(y)]).toEqual(['a', 'b']);
    expect(gateway.listeners.services.map(({ name }) => name).sort()).toEqual(['q', 'r']);
    expect(lines.filter(({ facts }) => 'err' in facts)).toEqual([]);
  });

  it('Gateway that stops takes nothing over, and leaves nothing behind that runs on', async () => {
    const [port, a] = [await freePort(), await named('a')];
    // A server that never answers: the first round of checks would take as long as it may.
    const silent = createServer(() => {}).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    cleanups.push(() => void silent.close());
    const dead = (silent.address() as AddressInfo).port;
    const listener = `listeners: [{ address: "127.0.0.1:${port}", protocol: tcp, upstream: a }]\n`;
    const { gateway, stop } = await running(`${listener}upstreams: { a: ["127.0.0.1:${a}"] }\n`);
    const before = gateway.config;
    const slow = `upstreams: { a: { servers: ["127.0.0.1:${dead}"], health: { http: /, timeout: 1m, interval: 2m } } }\n`;
    const change = gateway.change(config(listener + slow));
    await once(silent, 'connection');
    const refused = expect(change).rejects.toThrow('the server stops');
    await stop();
    await refused;
    expect(gateway.config).toBe(before);
  });
});

describe('Gateway: copies', () => {
  it('Gateway in another thread makes the changes one after the other, whatever they take', async () => {
    const [x, y, a, b] = [await freePort(), await freePort(), await named('a'), await named('b')];
    const tcp = (at: number): string => `{ address: "127.0.0.1:${at}", protocol: tcp, upstream: u }`;
    const file = (at: number[], server: number): string =>
      `listeners: [${at.map(tcp).join(', ')}]\nupstreams: { u: ["127.0.0.1:${server}"] }\n`;
    const { gateway, lines } = await running(file([x], a));
    const source = new Gateway({ logger: silentLogger, configuration: () => serverConfiguration() });
    cleanups.push(() => source.upstreams.close());
    const tell = (text: string): void => {
      source.upstreams.commit(source.upstreams.prepare(config(text).upstreams));
      const balancers = source.upstreams.snapshots();
      gateway.apply(structuredClone({ kind: 'config' as const, config: config(text), balancers }));
    };
    // The second change is about a listener that the first one is just opening.
    tell(file([x, y], a));
    tell(file([x, y], b));
    await expect.poll(() => told(y)).toBe('b');
    expect(await told(x)).toBe('b');
    expect(gateway.listeners.services).toHaveLength(2);
    expect(lines).toEqual([]);
  });
});

describe('Gateway: begin', () => {
  it('Gateway listens for connections and for datagrams at one address', () => {
    const gateway = new Gateway({ logger: silentLogger, configuration: () => serverConfiguration() });
    cleanups.push(() => gateway.upstreams.close());
    const one = (protocol: string): string => `{ address: "127.0.0.1:53", protocol: ${protocol}, upstream: dns }`;
    gateway.begin(config(`listeners: [${one('tcp')}, ${one('udp')}]\nupstreams: { dns: ["127.0.0.1:1"] }\n`));
    expect(gateway.listeners.services.map(({ name }) => name)).toEqual(['127.0.0.1:53', '127.0.0.1:53/udp']);
  });
});
