/**
 * `openssl s_client` and what no well-behaved client sends: handshakes with every wish, and bytes that are no handshake.
 */

import { RawClient } from '@cirque/testing';
import { requireTool } from '@cirque-internal/config/system-tools';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DamagingRelay } from '../src/damaging-relay.ts';
import { GATEWAY_NAME, PeersRig } from '../src/peers-rig.ts';
import { runTool } from '../src/run-tool.ts';
import { LAST_REQUEST, type SClientRun, sClient } from '../src/s-client.ts';

const tool = requireTool('openssl');
const HANDSHAKE_TIMEOUT_MS = 1_000;

let rig: PeersRig;

function connect(...args: readonly string[]): Promise<SClientRun> {
  return sClient(tool.path as string, rig.gateway.tlsPort, ['-CAfile', rig.caFile, ...args]);
}

/** By the name that has the default certificate. */
function named(...args: readonly string[]): Promise<SClientRun> {
  return connect('-servername', GATEWAY_NAME, ...args);
}

describe.skipIf(tool.path === undefined)(`openssl s_client (${tool.reason ?? 'present'})`, () => {
  beforeAll(async () => {
    rig = await PeersRig.start({
      tls: (ca) => ({
        certificate: ca.issue({ names: [GATEWAY_NAME] }),
        hosts: { 'a.test': ca.issue({ names: ['a.test'] }), '*.b.test': ca.issue({ names: ['*.b.test'] }) },
        alpn: ['h2', 'http/1.1'],
        handshakeTimeoutMs: HANDSHAKE_TIMEOUT_MS,
      }),
    });
  });
  afterAll(() => rig?.stop());

  describe('a handshake', () => {
    it.each([
      ['-tls1_2', 'TLSv1.2'],
      ['-tls1_3', 'TLSv1.3'],
    ])('%s', async (option, version) => {
      const { text, facts } = await named(option);
      expect(text).toContain(`New, ${version}, Cipher is`);
      expect(text).toContain('Verify return code: 0 (ok)');
      expect(text).toContain('Compression: NONE');
      expect(facts).toMatchObject({ tls: version, serverName: GATEWAY_NAME });
    });

    it.each(['-tls1', '-tls1_1'])('not %s', async (option) => {
      const { code, text, facts } = await named(option, '-cipher', 'DEFAULT@SECLEVEL=0');
      expect(code).toBe(1);
      expect(text).toContain('alert protocol version');
      expect(facts).toBeUndefined();
    });

    it.each([
      ['a.test', 'a.test'],
      ['x.b.test', '*.b.test'],
      ['b.test', GATEWAY_NAME],
      ['x.y.b.test', GATEWAY_NAME],
      ['unknown.test', GATEWAY_NAME],
    ])('asking for %s gets the certificate of %s', async (name, certificate) => {
      const { text, facts } = await connect('-servername', name);
      expect(text).toContain(`subject=CN = ${certificate}\n`);
      expect(facts).toMatchObject({ serverName: name });
    });

    it('without a server name gets the default certificate', async () => {
      const { text, facts } = await connect('-noservername');
      expect(text).toContain(`subject=CN = ${GATEWAY_NAME}\n`);
      expect(facts?.serverName).toBeUndefined();
    });

    it.each([
      ['http/1.1', 'http/1.1'],
      ['http/1.1,h2', 'h2'],
      ['spdy/3,http/1.1', 'http/1.1'],
    ])('offering %s by ALPN agrees on %s', async (offer, protocol) => {
      const { text } = await named('-alpn', offer);
      expect(text).toContain(`ALPN protocol: ${protocol}\n`);
    });

    it('offering only what is not there is refused', async () => {
      const { code, text } = await named('-alpn', 'spdy/3');
      expect(code).toBe(1);
      expect(text).toContain('alert no application protocol');
    });

    it('that breaks an agreement on HTTP/2 gets no answer in HTTP/1.1', async () => {
      const { facts, text } = await named('-alpn', 'h2');
      expect(facts).toBeUndefined();
      expect(text).not.toContain('HTTP/1.1 200');
    });
  });

  describe('a session', () => {
    it.each([
      ['-tls1_2', 'TLSv1.2'],
      ['-tls1_3', 'TLSv1.3'],
    ])('is taken up again, %s', async (option, version) => {
      const file = rig.gateway.files.path(`session${option}`);
      const first = await named(option, '-sess_out', file);
      expect(first.facts).toMatchObject({ resumed: false });
      const second = await named(option, '-sess_in', file);
      expect(second.text).toContain(`Reused, ${version}, Cipher is`);
      expect(second.facts).toMatchObject({ resumed: true, tls: version });
      // With TLS 1.2 the name belongs to the session, and Node does not let OpenSSL keep it there.
      expect(second.facts?.serverName).toBe(version === 'TLSv1.3' ? GATEWAY_NAME : undefined);
    });

    it('takes no early data', async () => {
      const file = rig.gateway.files.path('session-early');
      const data = await rig.gateway.files.file('early', 'GET /early-data HTTP/1.1\r\nHost: gateway.test\r\n\r\n');
      await named('-tls1_3', '-sess_out', file);
      const { text } = await named('-tls1_3', '-sess_in', file, '-early_data', data);
      expect(text).toContain('Early data was not sent');
      expect(rig.log).not.toContain('GET /early-data');
    });

    it('cannot be renegotiated', async () => {
      const args = ['s_client', '-connect', `127.0.0.1:${rig.gateway.tlsPort}`, '-CAfile', rig.caFile, '-tls1_2'];
      const command = { input: 'R\n', keepsInputOpen: true }; // it takes commands from the beginnings of lines
      const { code, stdout, stderr } = await runTool(tool.path as string, args, command);
      expect(stdout + stderr).toContain('RENEGOTIATING');
      expect(stderr).toContain('no renegotiation');
      expect(code).toBe(1);
    });
  });

  describe('what is no handshake', () => {
    it.each([
      ['HTTP', 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'],
      ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
      ['noise', Buffer.from(Array.from({ length: 600 }, (_, at) => (at * 73 + 11) & 0xff))],
      ['a record that is too long', Buffer.from([0x16, 3, 1, 0xff, 0xff, ...new Array<number>(70_000).fill(1)])],
      ['a ClientHello of nothing', Buffer.from([0x16, 3, 1, 0, 4, 1, 0, 0, 0])],
      ['an alert', Buffer.from([0x15, 3, 1, 0, 2, 2, 40])],
    ])('%s ends the connection', async (_name, bytes) => {
      const client = await RawClient.connect({ port: rig.gateway.tlsPort });
      await client.send(bytes);
      expect(['end', 'reset']).toContain(await client.waitForClose());
      await client.close();
    });

    it('the beginning of a record, and no more, is waited for no longer than the deadline', async () => {
      const began = performance.now();
      const client = await RawClient.connect({ port: rig.gateway.tlsPort });
      await client.send(Buffer.from([0x16, 3, 1, 2, 0, 1, 0]));
      expect(['end', 'reset']).toContain(await client.waitForClose());
      const waited = performance.now() - began;
      expect(waited).toBeGreaterThan(HANDSHAKE_TIMEOUT_MS - 150);
      expect(waited).toBeLessThan(HANDSHAKE_TIMEOUT_MS + 1_500);
      await client.close();
    });

    it.each([
      [3, 'in the ClientHello'],
      [200, 'in the ClientHello'],
      [2_000, 'in the request'],
    ])('a bit that turned on the way, at octet %i (%s), ends the connection', async (at) => {
      const relay = await DamagingRelay.listen(rig.gateway.tlsPort, at);
      const args = ['-CAfile', rig.caFile, '-servername', GATEWAY_NAME, '-tls1_2'];
      const request = LAST_REQUEST.replace('\r\n\r\n', `\r\nX-Padding: ${'x'.repeat(4_000)}\r\n\r\n`);
      const { code, facts, text } = await sClient(tool.path as string, relay.port, args, request);
      await relay.close();
      expect(facts).toBeUndefined();
      expect([code, text]).toEqual([1, expect.stringMatching(/alert|error/)]);
    });
  });

  it('after all of that the gateway serves others', async () => {
    expect((await named()).facts).toMatchObject({ http: '1.1', tls: 'TLSv1.3' });
    const { stdout } = await runTool(tool.path as string, ['version']);
    expect(stdout).toMatch(/^OpenSSL/);
  });
});
