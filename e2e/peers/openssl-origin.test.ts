/**
 * `openssl s_server` as an upstream: what the gateway offers, agrees to and shows as a TLS client.
 */

import type { PeerOptions } from '@cirque/pool';
import { LeakCheck, makeCa } from '@cirque/testing';
import { requireTool } from '@cirque-internal/config/system-tools';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Gateway } from '../src/gateway.ts';
import { type ConnectionFacts, type GatewayUpstream, UPSTREAM_FACTS } from '../src/gateway-setup.ts';
import { factsIn } from '../src/peers-rig.ts';
import { SServer } from '../src/s-server.ts';
import { ScratchFolder } from '../src/scratch-folder.ts';

const tool = requireTool('openssl');

const ca = makeCa('Test authority');
const clientCa = makeCa('Clients');
const clientCert = clientCa.issue({ commonName: 'gateway', clientAuth: true });

/** Each server: its arguments, and the peers that go to it. */
const servers: Readonly<Record<string, { args: readonly string[]; peers: Readonly<Record<string, PeerOptions>> }>> = {
  'TLS 1.2': {
    args: ['-tls1_2'],
    peers: { 'tls 1.2': {}, 'tls 1.3 only': { minTlsVersion: 'TLSv1.3' } },
  },
  'TLS 1.3': {
    args: ['-tls1_3'],
    peers: { 'tls 1.3': {}, 'tls 1.2 only': { maxTlsVersion: 'TLSv1.2' } },
  },
  'without ALPN': { args: [], peers: { either: { alpn: 'h2h1' }, 'http/2 only': { alpn: 'h2' } } },
  'with ALPN': { args: ['-alpn', 'http/1.1'], peers: { agreed: { alpn: 'h2h1' } } },
  'with client certificates': {
    args: ['-Verify', '2', '-verify_return_error'],
    peers: { 'with certificate': { clientCert }, 'without certificate': {} },
  },
};

interface Page {
  readonly status: number;
  readonly facts: ConnectionFacts;
  /** What the server says of the connection. */
  readonly text: string;
}

describe.skipIf(tool.path === undefined)(`openssl s_server (${tool.reason ?? 'present'})`, () => {
  const leaks = LeakCheck.start();
  const running: SServer[] = [];
  let files: ScratchFolder | undefined;
  let gateway: Gateway;

  async function ask(upstream: string): Promise<Page> {
    const headers = { 'x-upstream': upstream, connection: 'close' };
    const response = await fetch(`http://127.0.0.1:${gateway.port}/`, { headers });
    const facts = factsIn(response.headers.get(UPSTREAM_FACTS));
    return { status: response.status, facts, text: await response.text() };
  }

  beforeAll(async () => {
    files = await ScratchFolder.make();
    const { cert, key } = ca.issue({ names: ['origin.test'] });
    const identity = ['-cert', await files.file('cert', cert), '-key', await files.file('key', key)];
    const trust = ['-CAfile', await files.file('clients', clientCa.cert)];
    const upstreams: Record<string, GatewayUpstream> = {};
    for (const { args, peers } of Object.values(servers)) {
      const server = await SServer.start(tool.path as string, [...identity, ...trust, ...args]);
      running.push(server);
      for (const [name, options] of Object.entries(peers)) {
        const tls = { tls: true, sni: 'origin.test', ca: ca.cert };
        upstreams[name] = { address: `127.0.0.1:${server.port}`, options: { ...tls, ...options } };
      }
    }
    gateway = await Gateway.start({ upstreams });
  });
  afterAll(async () => {
    for (const server of running) await server.stop();
    await gateway?.stop();
    await files?.remove();
    await leaks.assertClean();
  });

  it.each([
    ['tls 1.2', 'TLSv1.2'],
    ['tls 1.3', 'TLSv1.3'],
  ])('%s, and the session is taken up by the next connection', async (upstream, tls) => {
    const first = await ask(upstream);
    expect(first).toMatchObject({ status: 200, text: expect.stringContaining(`New, ${tls}, Cipher is`) });
    expect(first.facts).toMatchObject({ tls, resumed: false, authorized: true, serverName: 'origin.test' });
    const second = await ask(upstream);
    expect(second).toMatchObject({ status: 200, text: expect.stringContaining(`Reused, ${tls}, Cipher is`) });
    expect(second.facts).toMatchObject({ tls, resumed: true, reused: false, authorized: true });
  });

  it.each(['tls 1.3 only', 'tls 1.2 only'])('%s, where that is not to be had: a bad gateway', async (upstream) => {
    expect((await ask(upstream)).status).toBe(502);
  });

  it('without ALPN it is HTTP/1.1, unless only HTTP/2 will do', async () => {
    const { status, facts } = await ask('either');
    expect(status).toBe(200);
    expect(facts.alpn).toBeUndefined();
    expect((await ask('http/2 only')).status).toBe(502);
  });

  it('ALPN agrees on what there is', async () => {
    expect((await ask('agreed')).facts).toMatchObject({ alpn: 'http/1.1' });
  });

  it('a certificate is shown where one is asked for', async () => {
    const { status, text } = await ask('with certificate');
    expect(status).toBe(200);
    expect(text).toMatch(/Subject: CN ?= ?gateway/);
    expect((await ask('without certificate')).status).toBe(502);
  });
});
