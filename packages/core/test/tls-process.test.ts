/** Certificates of a server process: read again at SIGHUP, checked by `--test`. */
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import { afterAll, describe, expect, test } from 'vitest';
import { ChildServer } from './child-server.ts';
import { ca, closed } from './tls-site.ts';

const folder = mkdtempSync(join(tmpdir(), 'cirque-tls-process-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Issues a certificate for a name and writes it to the files of the server. */
function install(name: string): void {
  const { cert, key } = ca.issue({ names: [name, 'a.example'] });
  writeFileSync(join(folder, 'cert.pem'), cert);
  writeFileSync(join(folder, 'key.pem'), key);
}

const args = ['--cert', join(folder, 'cert.pem'), '--key', join(folder, 'key.pem')];

async function secured(port: string | undefined): Promise<TLSSocket> {
  const socket = connect({ port: Number(port), host: '127.0.0.1', ca: ca.cert, servername: 'a.example' });
  await once(socket, 'secureConnect');
  return socket;
}

function nameOf(socket: TLSSocket): string | undefined {
  return /CN=(.*)/.exec(socket.getPeerX509Certificate()?.subject ?? '')?.[1];
}

describe('certificates of a process', { timeout: 40_000 }, () => {
  test('SIGHUP: new connections get the new certificate, open ones go on; a bad one changes nothing', async () => {
    install('first');
    const child = new ChildServer('tls-process.ts', args);
    try {
      const [, port] = await child.prints(/listens 127\.0\.0\.1:(\d+)/);
      const old = await secured(port);
      expect(nameOf(old)).toBe('first');
      install('second');
      child.kill('SIGHUP');
      await child.logs(/certificates read again/);
      const fresh = await secured(port);
      expect(nameOf(fresh)).toBe('second');
      writeFileSync(join(folder, 'key.pem'), ca.issue({ names: ['other'] }).key);
      child.kill('SIGHUP');
      await child.logs(/the key does not belong to the certificate.*the old ones stay/);
      const later = await secured(port);
      expect(nameOf(later)).toBe('second');
      for (const socket of [old, fresh, later]) {
        socket.write('still there');
        expect(String((await once(socket, 'data'))[0])).toBe('still there');
        await closed(socket);
      }
      child.kill('SIGTERM');
      expect(await child.exitCode()).toBe(0);
    } finally {
      child.kill('SIGKILL');
    }
  });

  test('--test reads the certificates', async () => {
    install('fine');
    expect(await new ChildServer('tls-process.ts', [...args, '--test']).exitCode()).toBe(0);
    writeFileSync(join(folder, 'cert.pem'), 'nonsense');
    const child = new ChildServer('tls-process.ts', [...args, '--test']);
    expect(await child.exitCode()).toBe(1);
    expect(child.err).toMatch(/cert\.pem\): the certificate cannot be read/);
  });
});
