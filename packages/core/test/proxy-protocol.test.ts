/** Listeners that read PROXY headers, with real sockets: who is believed, what the application sees, what is refused. */
import { mkdtempSync, rmSync } from 'node:fs';
import { connect as connectTcp } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LeakCheck, RawClient } from '@cirque/testing';
import { encodeProxyHeader, type InetAddress } from '@cirque/transport';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import {
  type ConnectionFilterLike,
  httpService,
  ListeningService,
  type TcpSocketOptions,
  TlsSettings,
} from '../src/index.ts';
import { RunningServer } from './running-server.ts';
import { ca, EchoApp, TlsSite, visit } from './tls-site.ts';

const certificate = ca.issue({ names: ['a.example'] });
const source = { host: '192.0.2.7', port: 7_777 };
const destination = { host: '198.51.100.1', port: 443 };
const v1 = encodeProxyHeader({ version: 1, source, destination });
const v2 = encodeProxyHeader({ version: 2, source, destination, tlvs: [{ type: 0xe0, value: Buffer.from('vpc') }] });
const required = { proxyProtocol: 'required', trustedSources: ['127.0.0.0/8'] } as const;
const optional = { proxyProtocol: 'optional', trustedSources: ['127.0.0.1'] } as const;

let check: LeakCheck;
beforeEach(() => {
  check = LeakCheck.start();
});
afterEach(() => check.assertClean());

/** A plaintext echo service. */
class Site implements AsyncDisposable {
  readonly app: EchoApp;
  readonly service: ListeningService<EchoApp>;
  readonly running: RunningServer;
  readonly port: number;

  private constructor(service: ListeningService<EchoApp>, running: RunningServer) {
    this.app = service.app;
    this.service = service;
    this.running = running;
    const [address] = service.endpoints;
    this.port = address !== undefined && 'port' in address ? address.port : 0;
  }

  static async start(options: TcpSocketOptions, filter?: ConnectionFilterLike, app = new EchoApp()): Promise<Site> {
    const service = new ListeningService('site', app).addTcp('127.0.0.1:0', options);
    if (filter !== undefined) service.setConnectionFilter(filter);
    return new Site(service, await RunningServer.start([service]));
  }

  /** What a client gets that sends these bytes, then FIN. */
  async answer(...chunks: readonly (Uint8Array | string)[]): Promise<string> {
    const client = await RawClient.connect({ port: this.port });
    for (const chunk of chunks) {
      await client.send(chunk).catch(() => {});
      await new Promise((resolve) => setImmediate(resolve));
    }
    client.end();
    await client.waitForClose();
    await client.close();
    return client.text;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.running.stopFast();
  }
}

describe.each([
  ['version 1', v1, 1, []],
  ['version 2', v2, 2, [{ type: 0xe0, value: Buffer.from('vpc') }]],
] as const)('a PROXY header of %s', (_, header, version, tlvs) => {
  test.each(['duplex', 'callback'] as const)('is what the application sees, with %s reads', async (reads) => {
    await using site = await Site.start(required, undefined, new EchoApp(reads));
    expect(await site.answer(Buffer.concat([header, Buffer.from('ping')]))).toBe('hello ping');
    const [digest] = site.app.digests;
    expect(digest).toMatchObject({
      socket: { remoteAddress: '192.0.2.7', remotePort: 7_777, localAddress: '198.51.100.1', localPort: 443 },
      transport: { remoteAddress: '127.0.0.1' },
      proxyHeader: { version, command: 'PROXY', source, destination, tlvs },
      ssl: undefined,
    });
  });

  test('may arrive byte by byte, with the data behind it', async () => {
    await using site = await Site.start(optional);
    const all = Buffer.concat([header, Buffer.from('ping')]);
    expect(await site.answer(...Array.from(all, (byte) => Buffer.from([byte])))).toBe('hello ping');
    expect(site.app.digests[0]?.socket.remoteAddress).toBe('192.0.2.7');
  });

  test('comes before the filter, which sees the client', async () => {
    const seen: (InetAddress | undefined)[] = [];
    const filter = async (address: InetAddress | undefined): Promise<boolean> => {
      seen.push(address);
      await sleep(1);
      return address?.host !== '192.0.2.7';
    };
    await using site = await Site.start(optional, filter);
    expect(await site.answer(header, 'ping')).toBe('');
    expect(await site.answer('ping')).toBe('hello ping');
    expect(seen[0]).toEqual(source);
    expect(seen[1]?.host).toBe('127.0.0.1');
  });

  test('comes before TLS', async () => {
    await using site = await TlsSite.start({ certificate }, required);
    const socket = connectTcp(site.port, '127.0.0.1');
    socket.write(header);
    expect(await visit(0, { socket })).toMatchObject({ text: 'hello ping', error: undefined });
    expect(site.app.digests[0]).toMatchObject({
      socket: { remoteAddress: '192.0.2.7' },
      transport: { remoteAddress: '127.0.0.1' },
      ssl: { serverName: 'a.example' },
      proxyHeader: { version },
    });
  });
});

describe('proxyProtocol', () => {
  test('LOCAL leaves the addresses of the socket', async () => {
    await using site = await Site.start(required);
    expect(await site.answer(encodeProxyHeader({ version: 2, command: 'LOCAL' }), 'ping')).toBe('hello ping');
    expect(site.app.digests[0]).toMatchObject({
      socket: { remoteAddress: '127.0.0.1' },
      proxyHeader: { command: 'LOCAL' },
    });
  });

  test('TLS, plaintext and PROXY headers share a port', async () => {
    await using site = await TlsSite.start({ certificate, plaintext: 'allow' }, optional);
    const behind = connectTcp(site.port, '127.0.0.1');
    behind.write(v2);
    expect((await visit(0, { socket: behind })).text).toBe('hello ping');
    expect((await visit(site.port)).text).toBe('hello ping');
    const client = await RawClient.connect({ port: site.port });
    await client.send(Buffer.concat([v1, Buffer.from('plain')]));
    expect(await client.waitFor('plain')).toBe('hello plain');
    await client.close();
    expect(site.app.digests.map(({ ssl, socket }) => [ssl !== undefined, socket.remoteAddress])).toEqual([
      [true, '192.0.2.7'],
      [true, '127.0.0.1'],
      [false, '192.0.2.7'],
    ]);
  });

  test.each([
    ['no header', 'ping', 'does not begin with a PROXY header'],
    ['a wrong one', 'PROXY TCP4 nonsense\r\n', 'wrong PROXY header: the addresses are not of TCP4'],
  ])('required refuses %s', async (_, bytes, reason) => {
    await using site = await Site.start(required);
    expect(await site.answer(bytes)).toBe('');
    expect(site.running.lines.some(({ facts }) => String(facts.err).includes(reason))).toBe(true);
    expect(site.app.digests).toEqual([]);
  });

  test('optional refuses a wrong one as well', async () => {
    await using site = await Site.start(optional);
    expect(await site.answer('PROXY TCP4 nonsense\r\n')).toBe('');
    expect(site.running.logged('warn', 'handshake failed')).toHaveLength(1);
  });

  test('headers from elsewhere are not believed: required closes, optional takes them for data', async () => {
    const elsewhere = ['10.0.0.0/8', '::1'];
    await using strict = await Site.start({ proxyProtocol: 'required', trustedSources: elsewhere });
    expect(await strict.answer(v1, 'ping')).toBe('');
    expect(strict.running.logged('warn', 'handshake failed')).toHaveLength(1);
    await using lenient = await Site.start({ proxyProtocol: 'optional', trustedSources: elsewhere });
    expect(await lenient.answer(v1, 'ping')).toBe(`hello ${v1}ping`);
    expect(lenient.app.digests[0]).toMatchObject({ proxyHeader: undefined, socket: { remoteAddress: '127.0.0.1' } });
  });

  test('a header that does not come is waited for a while only', async () => {
    await using site = await Site.start({ ...required, proxyHeaderTimeoutMs: 40 });
    const client = await RawClient.connect({ port: site.port });
    await client.send(v1.subarray(0, 10));
    await client.waitForClose();
    await client.close();
    expect(site.running.lines.some(({ facts }) => String(facts.err).includes('no PROXY header within 40 ms'))).toBe(
      true,
    );
    await vi.waitFor(() => expect(site.service.openConnections).toBe(0));
  });

  test('a client that leaves within the header is not worth a warning', async () => {
    await using site = await Site.start(required);
    expect(await site.answer(v2.subarray(0, 20))).toBe('');
    expect(site.running.logged('debug', 'left during the handshake')).toHaveLength(1);
    expect(site.running.logged('warn', 'handshake')).toEqual([]);
  });

  test('connections that wait for their header end when the service stops', async () => {
    const site = await Site.start(required);
    const client = await RawClient.connect({ port: site.port });
    await vi.waitFor(() => expect(site.service.openConnections).toBe(1));
    const stopped = site.running.stopGracefully();
    await client.waitForClose();
    await stopped;
    await client.close();
    expect(site.app.shutDown).toEqual([]);
  });

  test('a filter that fails refuses the connection', async () => {
    await using site = await Site.start(optional, () => Promise.reject(new Error('no list')));
    expect(await site.answer(v1, 'ping')).toBe('');
    expect(site.running.logged('warn', 'its filter failed')).toHaveLength(1);
  });

  test('works on unix sockets, where everybody is trusted or nobody', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'cirque-proxy-'));
    const path = join(folder, 's');
    const service = new ListeningService('site', new EchoApp());
    expect(() => service.addUds(path, required)).toThrow(/clients of a unix socket have no address/);
    service.addUds(path, { proxyProtocol: 'required', trustedSources: 'any' });
    const running = await RunningServer.start([service]);
    const client = await RawClient.connect({ path });
    await client.send(v1);
    await client.waitFor('hello ');
    expect(service.app.digests[0]?.socket.remoteAddress).toBe('192.0.2.7');
    await client.close();
    await running.stopFast();
    rmSync(folder, { recursive: true });
  });

  test('HTTP services serve requests behind it, pipelined ones too', async () => {
    const service = httpService('http', ({ target }) => ({ body: `saw ${target};` }));
    service.addTcp('127.0.0.1:0', required);
    service.addTlsWithSettings('127.0.0.1:0', new TlsSettings({ certificate }), required);
    await using _running = await RunningServer.start([service]);
    const client = await RawClient.connect({ port: (service.endpoints[0] as { port: number }).port });
    const request = (target: string): string => `GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`;
    await client.send(Buffer.concat([v2, Buffer.from(request('/1') + request('/2'))]));
    await client.waitFor('saw /1;');
    await client.waitFor('saw /2;');
    await client.close();
  });
});

describe('proxyProtocol options', () => {
  test.each<[unknown, RegExp]>([
    [{ proxyProtocol: 'on' }, /proxyProtocol must be 'off', 'optional' or 'required', got "on"/],
    [{ proxyProtocol: 'required' }, /'required' needs trustedSources/],
    [{ proxyProtocol: 'optional' }, /'optional' needs trustedSources/],
    [{ trustedSources: 'any' }, /proxyProtocol is 'off'/],
    [{ proxyProtocol: 'required', trustedSources: [] }, /must be a list of networks/],
    [{ proxyProtocol: 'required', trustedSources: '10.0.0.0/8' }, /must be a list of networks/],
    [{ proxyProtocol: 'required', trustedSources: ['localhost'] }, /"localhost" is no address/],
    [{ ...required, proxyHeaderTimeoutMs: 0 }, /proxyHeaderTimeoutMs must be a number above 0, got 0/],
  ])('%j are refused', (options, message) => {
    const service = new ListeningService('site', new EchoApp());
    expect(() => service.addTcp('127.0.0.1:0', options as TcpSocketOptions)).toThrow(message);
  });
});
