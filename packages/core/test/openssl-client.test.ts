/** Listeners with TLS and openssl s_client, which is not Node's idea of a client. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { requireTool } from '@cirque-internal/config/system-tools';
import { afterAll, describe, expect, test } from 'vitest';
import { TlsSettings } from '../src/index.ts';
import { ca, TlsSite } from './tls-site.ts';

const openssl = requireTool('openssl');
const folder = mkdtempSync(join(tmpdir(), 'cirque-openssl-'));
afterAll(() => rmSync(folder, { recursive: true }));
const trust = join(folder, 'ca.pem');
writeFileSync(trust, ca.cert);

// The server sends the chain up to the root.
const certificate = ca.issueCa('Middle').issue({ names: ['a.example'] });
const b = ca.issue({ names: ['b.example'], keyType: 'rsa' });

/** What s_client says, with its input left open until the output matches, and then until the end. */
function client(port: number, args: readonly string[], until: RegExp, input = 'ping\n'): Promise<string> {
  const all = ['s_client', '-connect', `127.0.0.1:${port}`, '-CAfile', trust, '-verify_return_error', ...args];
  const child = spawn(openssl.path ?? 'openssl', all);
  let output = '';
  let said = false;
  const add = (chunk: Buffer): void => {
    output += chunk.toString('latin1');
    // Not earlier: a greeting that crosses a renegotiation confuses s_client.
    if (!said && output.includes('hello ')) {
      child.stdin.write(input);
      said = true;
    }
    if (until.test(output)) child.stdin.end();
  };
  child.stdout.on('data', add);
  child.stderr.on('data', add);
  child.stdin.on('error', () => {});
  return new Promise((resolve) => child.once('close', () => resolve(output)));
}

describe.skipIf(openssl.path === undefined)(`openssl (${openssl.reason ?? 'present'})`, { timeout: 20_000 }, () => {
  test.each(['-tls1_2', '-tls1_3'])('verifies the chain and the name, and gets its echo, with %s', async (version) => {
    await using site = await TlsSite.start(new TlsSettings({ certificate }).enableH2());
    const args = ['-servername', 'a.example', '-verify_hostname', 'a.example', '-alpn', 'h2,http/1.1', version];
    const output = await client(site.port, args, /hello ping/);
    expect(output).toMatch(/Verification: OK/);
    expect(output).toMatch(/ALPN protocol: h2/);
    expect(output).toMatch(/hello ping/);
    expect(output.match(/ [0-9] s:/g)).toHaveLength(2);
  });

  test('gets the certificate of the name it asks for', async () => {
    await using site = await TlsSite.start({ certificate, hosts: { 'b.example': b } });
    expect(await client(site.port, ['-servername', 'b.example'], /hello ping/)).toMatch(/CN ?= ?b\.example/);
    expect(await client(site.port, ['-noservername'], /hello ping/)).toMatch(/CN ?= ?a\.example/);
  });

  test('cannot renegotiate', async () => {
    await using site = await TlsSite.start({ certificate });
    // A line that begins with R makes s_client renegotiate.
    const output = await client(
      site.port,
      ['-servername', 'a.example', '-tls1_2'],
      /NO_RENEGOTIATION|no renegotiation|refused/i,
      'R\n',
    );
    expect(output).toMatch(/RENEGOTIATING/);
    expect(output).toMatch(/no renegotiation/i);
    expect(await client(site.port, ['-servername', 'a.example'], /hello ping/)).toMatch(/hello ping/);
  });

  test('is not offered early data', async () => {
    await using site = await TlsSite.start({ certificate });
    expect(await client(site.port, ['-servername', 'a.example', '-tls1_3'], /hello ping/)).toMatch(/Max Early Data: 0/);
  });

  test.each([
    ['TLS 1.1', ['-tls1_1', '-cipher', 'DEFAULT@SECLEVEL=0']],
    ['ciphers without forward secrecy', ['-tls1_2', '-cipher', 'AES128-GCM-SHA256']],
    ['CBC ciphers', ['-tls1_2', '-cipher', 'ECDHE-RSA-AES128-SHA:ECDHE-ECDSA-AES128-SHA']],
    ['a protocol that is not offered', ['-alpn', 'spdy/3']],
  ])('is refused with an alert: %s', async (_, args) => {
    await using site = await TlsSite.start({ certificate: b });
    const output = await client(site.port, ['-servername', 'b.example', ...args], /alert/);
    expect(output).toMatch(/alert (protocol version|handshake failure|no application protocol)/);
    expect(output).not.toMatch(/hello/);
  });

  test('resumes its session', async () => {
    await using site = await TlsSite.start({ certificate });
    const session = join(folder, 'session');
    const args = ['-servername', 'a.example', '-tls1_3'];
    expect(await client(site.port, [...args, '-sess_out', session], /hello ping/)).toMatch(/New, TLSv1\.3/);
    expect(await client(site.port, [...args, '-sess_in', session], /hello ping/)).toMatch(/Reused, TLSv1\.3/);
  });
});
