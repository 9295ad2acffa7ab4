/**
 * Mutual TLS: hosts that ask clients for certificates, and an upstream that asks the gateway.
 */
import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { type ConnectionOptions, connect } from 'node:tls';
import { makeCa } from '@cirque/testing';
import { requireTool } from '@cirque-internal/config/system-tools';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Curl } from '../src/curl.ts';
import { CLIENT_FACTS, type ConnectionFacts } from '../src/gateway-setup.ts';
import { factsIn, PeersRig } from '../src/peers-rig.ts';

const tool = requireTool('curl');

/** What clients may show. */
type Shown = 'nothing' | 'ours' | 'foreign' | 'expired';

const serverCa = makeCa('Servers');
const clientCa = makeCa('Clients');
const shown = {
  ours: clientCa.issue({ commonName: 'ours', clientAuth: true }),
  foreign: makeCa('Strangers').issue({ commonName: 'foreign', clientAuth: true }),
  expired: clientCa.issue({ commonName: 'expired', clientAuth: true, expired: true }),
};
const strict = createServer(
  { ...serverCa.issue({ names: ['strict.test'] }), ca: clientCa.cert, requestCert: true, rejectUnauthorized: true },
  (_request, response) => response.end('come in'),
);

let rig: PeersRig;
let curl: Curl;

async function ask(host: string, what: Shown, ...more: readonly string[]): Promise<readonly string[]> {
  const files = what === 'nothing' ? [] : ['--cert', rig.gateway.files.path(`${what}.pem`)];
  return [...more, '--cacert', rig.caFile, ...files, ...rig.resolve(host), rig.tls('/echo', host)];
}

async function facts(host: string, what: Shown, ...more: readonly string[]): Promise<ConnectionFacts> {
  const { status, fields } = await curl.ask(await ask(host, what, ...more));
  expect(status).toBe(200);
  return factsIn(fields[CLIENT_FACTS]);
}

interface Conversation {
  readonly session: Buffer | undefined;
  readonly resumed: boolean;
}

/** One request by node:tls, until the gateway closes. */
async function talk(options: ConnectionOptions): Promise<Conversation> {
  const { port, host } = { port: rig.gateway.tlsPort, host: '127.0.0.1' };
  const socket = connect({ port, host, ca: rig.ca.cert, ...options });
  let session: Buffer | undefined;
  socket.on('session', (latest) => {
    session = latest;
  });
  await once(socket, 'secureConnect');
  session ??= socket.getSession();
  const resumed = socket.isSessionReused();
  socket.write(`GET /session HTTP/1.1\r\nHost: ${options.servername}\r\nConnection: close\r\n\r\n`);
  socket.resume();
  await once(socket, 'close');
  return { session, resumed };
}

describe.skipIf(tool.path === undefined)(`client certificates (${tool.reason ?? 'curl is present'})`, () => {
  beforeAll(async () => {
    strict.listen(0, '127.0.0.1');
    await once(strict, 'listening');
    const address = `127.0.0.1:${(strict.address() as AddressInfo).port}`;
    const tls = { tls: true, sni: 'strict.test', ca: serverCa.cert };
    rig = await PeersRig.start({
      tls: (ca) => ({
        hosts: {
          'off.test': { ...ca.issue({ names: ['off.test'] }) },
          'ask.test': { ...ca.issue({ names: ['ask.test'] }), clientCertificate: 'request', clientCa: clientCa.cert },
          'must.test': { ...ca.issue({ names: ['must.test'] }), clientCertificate: 'require', clientCa: clientCa.cert },
        },
        alpn: ['h2', 'http/1.1'],
      }),
      upstreams: () => ({
        shows: { address, options: { ...tls, clientCert: shown.ours } },
        'shows nothing': { address, options: tls },
        'shows another': { address, options: { ...tls, clientCert: shown.foreign } },
      }),
    });
    curl = new Curl(tool.path as string, rig.gateway.files.path('heads'));
    for (const [name, { cert, key }] of Object.entries(shown)) await rig.gateway.files.file(`${name}.pem`, cert + key);
  });
  afterAll(async () => {
    const closed = once(strict, 'close');
    strict.close();
    strict.closeAllConnections();
    await closed;
    await rig?.stop();
  });

  describe.each(['1.2', '1.3'])('TLS %s', (version) => {
    const max = ['--tls-max', version];

    it.each(['--http1.1', '--http2'])('a host that requires one, %s', async (http) => {
      expect(await facts('must.test', 'ours', http, ...max)).toMatchObject({ peer: 'CN=ours', authorized: true });
    });

    it.each<Shown>(['nothing', 'foreign', 'expired'])('a host that requires one refuses %s', async (what) => {
      const code = await curl.fail(await ask('must.test', what, ...max));
      // 35: in the handshake; the others: cut after it, as the client has finished it by then.
      expect([16, 18, 35, 52, 55, 56]).toContain(code);
    });

    it('a host that asks for one takes all and judges them', async () => {
      expect(await facts('ask.test', 'ours', ...max)).toMatchObject({ peer: 'CN=ours', authorized: true });
      expect(await facts('ask.test', 'foreign', ...max)).toMatchObject({ peer: 'CN=foreign', authorized: false });
      expect(await facts('ask.test', 'expired', ...max)).toMatchObject({ peer: 'CN=expired', authorized: false });
      expect((await facts('ask.test', 'nothing', ...max)).peer).toBeUndefined();
    });

    it('a host that does not ask', async () => {
      expect(await facts('off.test', 'nothing', ...max)).toMatchObject({ serverName: 'off.test' });
    });
  });

  it.each(['TLSv1.2', 'TLSv1.3'] as const)('%s sessions are not resumed, whatever the host', async (version) => {
    for (const servername of ['must.test', 'off.test']) {
      const first = await talk({ ...shown.ours, servername, minVersion: version, maxVersion: version });
      const again = { ...shown.ours, servername, minVersion: version, maxVersion: version };
      const second = await talk(first.session === undefined ? again : { ...again, session: first.session });
      expect([first.resumed, second.resumed]).toEqual([false, false]);
    }
  });

  it.each(['--http1.1', '--http2'])(
    'a host that requires one cannot be had over a connection to another, %s',
    async (http) => {
      const other = ['-H', `Host: must.test:${rig.gateway.tlsPort}`, http];
      expect(await curl.ask(await ask('off.test', 'nothing', ...other))).toMatchObject({ status: 421 });
    },
  );

  it('a name without a certificate is refused', async () => {
    expect(await curl.fail(await ask('unknown.test', 'nothing', '-k'))).toBe(35);
  });

  it('none of this came to an origin before it was judged', () => {
    // Two of the host that requires one, four of the one that asks, one of the last: for each version.
    expect(rig.log.filter((line) => line !== 'GET /session')).toEqual(new Array(14).fill('GET /echo'));
  });

  it.each([
    ['shows', 200],
    ['shows nothing', 502],
    ['shows another', 502],
  ])('an upstream that requires one of the gateway, which %s: %i', async (upstream, status) => {
    expect(await curl.ask(await ask('off.test', 'nothing', '-H', `X-Upstream: ${upstream}`))).toMatchObject({ status });
  });
});
