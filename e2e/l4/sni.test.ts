/**
 * TLS that is passed on unopened: where it goes is decided by the names and protocols of the handshake, the certificates are those of
 * the servers.
 */
import { createServer } from 'node:https';
import { connect as connectTcp, createServer as createTcpServer } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { createServer as createTlsServer } from 'node:tls';
import { makeCa } from '@cirque/testing';
import { requireTool } from '@cirque-internal/config/system-tools';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { runTool } from '../src/run-tool.ts';
import { freePort } from './src/free-port.ts';
import { MortalServer } from './src/mortal-server.ts';
import { LIMITS, Site } from './src/site.ts';

vi.setConfig(LIMITS);

const openssl = requireTool('openssl');
const curl = requireTool('curl');

let site: Site;
let port: number;
let caFile: string;

beforeAll(async () => {
  site = new Site();
  port = await freePort();
  const ca = makeCa('l4');
  caFile = site.file('ca.pem', ca.cert);
  /** A web server with a certificate for these names; the first one is its own. */
  const web = (...names: string[]): Promise<MortalServer> =>
    MortalServer.start(site, names[0] as string, () =>
      createServer(ca.issue({ names }), (_, response) => response.end(`this is ${names[0]}\n`)),
    );
  const servers = {
    a: await web('a.test'),
    b: await web('b.test', '*.b.test'),
    other: await web('default.test'),
    alpn: await MortalServer.start(site, 'alpn.test', () =>
      createTlsServer({ ...ca.issue({ names: ['alpn.test'] }), ALPNProtocols: ['acme-tls/1'] }, (socket) =>
        socket.end(),
      ),
    ),
  };
  const upstreams = Object.entries(servers).map(([name, { address }]) => `  ${name}: ["${address}"]\n`);
  await site.gateway(`
listeners:
  - address: "127.0.0.1:${port}"
    protocol: tcp
    routes:
      - { alpn: [acme-tls/1], upstream: alpn }
      - { sni: a.test, upstream: a }
      - { sni: ["b.test", "*.b.test"], upstream: b }
      - { upstream: other }
upstreams:
${upstreams.join('')}`);
});
afterAll(() => site?.close());

describe.skipIf(openssl.path === undefined)(`openssl s_client (${openssl.reason ?? 'present'})`, () => {
  async function connect(...words: readonly string[]): Promise<string> {
    const all = ['s_client', '-connect', `127.0.0.1:${port}`, '-CAfile', caFile, ...words];
    const { stdout, stderr } = await runTool(openssl.path as string, all, { input: 'Q\n' });
    return `${stdout}\n${stderr}`;
  }

  it.each([
    ['-tls1_2', 'TLSv1.2'],
    ['-tls1_3', 'TLSv1.3'],
  ])('%s: sees the certificate of the server that its name leads to', async (option, version) => {
    for (const [asked, subject] of [
      ['a.test', 'a.test'],
      ['A.TEST', 'a.test'],
      ['b.test', 'b.test'],
      ['x.b.test', 'b.test'],
      ['c.test', 'default.test'],
    ] as const) {
      const text = await connect(option, '-servername', asked);
      expect(text).toMatch(new RegExp(`^subject=CN = ${subject}$`, 'm'));
      expect(text).toContain('Verify return code: 0 (ok)');
      expect(text).toContain(`New, ${version}, Cipher is`);
    }
    expect(await connect(option, '-noservername')).toMatch(/^subject=CN = default\.test$/m);
  });

  it('goes by the protocol that it offers', async () => {
    const text = await connect('-servername', 'a.test', '-alpn', 'acme-tls/1');
    expect(text).toMatch(/^subject=CN = alpn\.test$/m);
    expect(text).toContain('ALPN protocol: acme-tls/1');
    expect(await connect('-servername', 'a.test', '-alpn', 'http/1.1')).toMatch(/^subject=CN = a\.test$/m);
  });

  it('may be slow: a handshake byte by byte goes where it belongs', async () => {
    const relay = await slowRelay();
    const words = ['s_client', '-connect', `127.0.0.1:${relay}`, '-servername', 'x.b.test', '-CAfile', caFile];
    const { stdout } = await runTool(openssl.path as string, words, { input: 'Q\n' });
    expect(stdout).toMatch(/^subject=CN = b\.test$/m);
  });
});

describe.skipIf(curl.path === undefined)(`curl (${curl.reason ?? 'present'})`, () => {
  it.each([
    ['a.test', 'this is a.test\n'],
    ['b.test', 'this is b.test\n'],
    ['www.b.test', 'this is b.test\n'],
    ['default.test', 'this is default.test\n'],
  ])('https://%s', async (name, body) => {
    const words = ['-sS', '--noproxy', '*', '--max-time', '10', '--cacert', caFile];
    const where = ['--resolve', `${name}:${port}:127.0.0.1`, `https://${name}:${port}/`];
    expect(await runTool(curl.path as string, [...words, ...where])).toMatchObject({ code: 0, stdout: body });
  });
});

/** Passes on to the gateway what comes, the first 400 bytes one by one. */
async function slowRelay(): Promise<number> {
  const relay = await MortalServer.start(site, 'relay', () =>
    createTcpServer((client) => {
      const server = connectTcp({ port, host: '127.0.0.1', noDelay: true });
      site.atEnd(() => server.destroy());
      server.on('error', () => client.destroy()).pipe(client);
      let sent = 0;
      const passOn = async (bytes: Buffer): Promise<void> => {
        for (let at = 0; at < bytes.length; ) {
          const step = sent < 400 ? 1 : bytes.length - at;
          server.write(bytes.subarray(at, at + step));
          at += step;
          sent += step;
          await nextTurn();
        }
      };
      let passed = Promise.resolve();
      client.on('data', (bytes: Buffer) => {
        passed = passed.then(() => passOn(bytes));
      });
      client.on('end', () => void passed.then(() => server.end()));
    }),
  );
  return relay.port;
}
