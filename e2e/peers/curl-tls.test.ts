/**
 * TLS as curl asks for it: versions, ciphers, names, trust, ALPN, resumption.
 */

import { makeCa } from '@cirque/testing';
import { requireTool } from '@cirque-internal/config/system-tools';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Curl } from '../src/curl.ts';
import { CLIENT_FACTS, type ConnectionFacts, UPSTREAM_FACTS } from '../src/gateway-setup.ts';
import { factsIn, GATEWAY_NAME, PeersRig } from '../src/peers-rig.ts';

const tool = requireTool('curl');

/** Exit codes of curl. */
const CONNECT_FAILED = 35;
const NOT_TRUSTED = 60;

let rig: PeersRig;
let curl: Curl;
/** Arguments for a request by name. */
const to = (name: string, path: string = '/echo'): readonly string[] => [...rig.resolve(name), rig.tls(path, name)];
const trusted = (name: string = GATEWAY_NAME): readonly string[] => ['--cacert', rig.caFile, ...to(name)];

async function facts(...args: readonly string[]): Promise<ConnectionFacts> {
  const { status, fields } = await curl.ask(args);
  expect(status).toBe(200);
  return factsIn(fields[CLIENT_FACTS]);
}

describe.skipIf(tool.path === undefined)(`curl with TLS (${tool.reason ?? 'present'})`, () => {
  beforeAll(async () => {
    rig = await PeersRig.start({
      tls: (ca) => ({
        certificate: ca.issue({ names: [GATEWAY_NAME], ips: ['127.0.0.1'] }),
        hosts: {
          'rsa.test': ca.issue({ names: ['rsa.test'], keyType: 'rsa' }),
          '*.wild.test': ca.issue({ names: ['*.wild.test'] }),
          'chain.test': ca.issueCa('Intermediate').issue({ names: ['chain.test'] }),
          'expired.test': ca.issue({ names: ['expired.test'], expired: true }),
          'foreign.test': makeCa('Unknown').issue({ names: ['foreign.test'] }),
        },
        alpn: ['h2', 'http/1.1'],
      }),
      upstreams: ({ 'h1-tls': h1 }) => ({
        fresh: { ...h1, options: { ...h1.options, idleTimeoutMs: 0 } },
        untrusted: { ...h1, options: { tls: true, sni: 'origin.test' } },
        misnamed: { ...h1, options: { ...h1.options, sni: 'other.test' } },
        plain: { ...h1, options: { alpn: 'h1' } },
      }),
    });
    curl = new Curl(tool.path as string, rig.gateway.files.path('heads'));
  });
  afterAll(() => rig?.stop());

  describe('versions and ciphers', () => {
    it.each([
      ['1.2', 'TLSv1.2'],
      ['1.3', 'TLSv1.3'],
    ])('TLS %s', async (version, tls) => {
      expect(await facts(`--tlsv${version}`, '--tls-max', version, ...trusted())).toMatchObject({ tls, alpn: 'h2' });
    });

    it('nothing older', async () => {
      const old = ['--tlsv1.0', '--tls-max', '1.1', '--ciphers', 'DEFAULT@SECLEVEL=0'];
      expect(await curl.fail([...old, ...trusted()])).toBe(CONNECT_FAILED);
    });

    it('the cipher that the client prefers', async () => {
      const order = 'ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-GCM-SHA256';
      const wish = ['--tls-max', '1.2', '--ciphers', order];
      expect(await facts(...wish, ...trusted())).toMatchObject({
        tls: 'TLSv1.2',
        cipher: 'TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256',
      });
      expect(await facts('--tls13-ciphers', 'TLS_CHACHA20_POLY1305_SHA256', ...trusted())).toMatchObject({
        tls: 'TLSv1.3',
        cipher: 'TLS_CHACHA20_POLY1305_SHA256',
      });
    });

    it.each(['AES128-GCM-SHA256', 'ECDHE-ECDSA-AES128-SHA'])('not %s', async (cipher) => {
      expect(await curl.fail(['--tls-max', '1.2', '--ciphers', cipher, ...trusted()])).toBe(CONNECT_FAILED);
    });

    it.each([
      ['X25519', true],
      ['secp384r1', true],
      ['secp521r1', false],
    ])('a key exchange in %s: %s', async (curve, possible) => {
      const args = ['--curves', curve, ...trusted()];
      if (possible) expect(await facts(...args)).toMatchObject({ tls: 'TLSv1.3' });
      else expect(await curl.fail(args)).toBe(CONNECT_FAILED);
    });
  });

  describe('names and trust', () => {
    it.each([GATEWAY_NAME, 'rsa.test', 'a.wild.test', 'B.WILD.test', 'chain.test'])('%s', async (name) => {
      expect(await facts(...trusted(name))).toMatchObject({ serverName: name.toLowerCase() });
    });

    it('an address instead of a name', async () => {
      const { serverName } = await facts('--cacert', rig.caFile, `https://127.0.0.1:${rig.gateway.tlsPort}/echo`);
      expect(serverName).toBeUndefined();
    });

    it.each(['other.test', 'wild.test', 'a.b.wild.test', 'expired.test', 'foreign.test'])(
      '%s is not trusted, but served to those who do not care',
      async (name) => {
        expect(await curl.fail(trusted(name))).toBe(NOT_TRUSTED);
        expect(await facts('-k', ...to(name))).toMatchObject({ serverName: name });
      },
    );

    it('an authority that curl does not know', async () => {
      expect(await curl.fail(to(GATEWAY_NAME))).toBe(NOT_TRUSTED);
    });
  });

  describe('ALPN', () => {
    it.each([
      ['--http2', { http: '2', alpn: 'h2' }],
      ['--http1.1', { http: '1.1', alpn: 'http/1.1' }],
    ])('%s', async (option, expected) => {
      expect(await facts(option, ...trusted())).toMatchObject(expected);
    });

    it('without it, HTTP/1.1', async () => {
      const seen = await facts('--no-alpn', ...trusted());
      expect(seen.http).toBe('1.1');
      expect(seen.alpn).toBeUndefined();
    });
  });

  describe('resumption', () => {
    // With TLS 1.2 curl 7.88 forgets its tickets; openssl has that case.
    it('of the session with the gateway', async () => {
      const closing = ['--http1.1', '-H', 'Connection: close', '-i'];
      const url = to(GATEWAY_NAME).at(-1) as string;
      const printed = await curl.print([...closing, ...trusted(), url]);
      const seen = Array.from(printed.matchAll(new RegExp(`^${CLIENT_FACTS}: (.*)\r$`, 'gim')), ([, json]) =>
        factsIn(json),
      );
      expect(seen.map(({ resumed }) => resumed)).toEqual([false, true]);
    });

    it('of the session with the upstream', async () => {
      const ask = (): Promise<ConnectionFacts> =>
        curl.ask(['-H', 'X-Upstream: fresh', ...trusted()]).then(({ fields }) => factsIn(fields[UPSTREAM_FACTS]));
      expect(await ask()).toMatchObject({ reused: false, resumed: false, authorized: true });
      expect(await ask()).toMatchObject({ reused: false, resumed: true, authorized: true });
    });
  });

  describe('upstreams', () => {
    it.each(['untrusted', 'misnamed', 'plain'])('%s: a bad gateway', async (name) => {
      expect(await curl.ask(['-H', `X-Upstream: ${name}`, ...trusted()])).toMatchObject({ status: 502 });
    });
  });

  describe('the wrong port', () => {
    it('TLS without TLS', async () => {
      expect(await curl.fail([`https://127.0.0.1:${rig.gateway.port}/echo`])).toBe(CONNECT_FAILED);
    });

    it('plaintext where TLS is', async () => {
      // 52: no answer; 56: cut; 1: what came is not HTTP.
      expect([1, 52, 56]).toContain(await curl.fail([`http://127.0.0.1:${rig.gateway.tlsPort}/echo`]));
    });
  });
});
