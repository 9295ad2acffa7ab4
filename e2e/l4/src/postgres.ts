/**
 * A PostgreSQL server of its own, with TLS, on a port of loopback; it refuses to run as root, so root starts it as another user.
 */
import { execFileSync } from 'node:child_process';
import { chownSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { IssuedCertificate } from '@cirque/testing';
import { freePort } from './free-port.ts';
import type { Site } from './site.ts';

/** Where Debian keeps the programs of servers, by version. */
const FOLDER = '/usr/lib/postgresql';
/** The user that Debian's package makes. */
const USER = 'postgres';

/** The folder with initdb and postgres; undefined where there is none. */
export function postgresFolder(): string | undefined {
  try {
    const version = readdirSync(FOLDER)
      .filter((name) => /^\d+$/.test(name))
      .sort((a, b) => Number(b) - Number(a))[0];
    return version === undefined ? undefined : join(FOLDER, version, 'bin');
  } catch {
    return undefined;
  }
}

/** Starts a server that trusts everybody, with one user `tester`. Answers its port. */
export async function startPostgres(site: Site, folder: string, { cert, key }: IssuedCertificate): Promise<number> {
  const owner = process.getuid?.() === 0 ? idsOf(USER) : undefined;
  if (owner !== undefined) chownSync(site.folder, owner.uid, owner.gid);
  const data = site.path('data');
  const options = { ...owner, cwd: site.folder };
  execFileSync(join(folder, 'initdb'), ['-D', data, '-U', 'tester', '-A', 'trust', '-N', '--locale=C', '-E', 'UTF8'], {
    ...options,
    stdio: 'pipe',
  });
  for (const [name, text] of [
    ['server.crt', cert],
    ['server.key', key],
  ] as const) {
    writeFileSync(join(data, name), text, { mode: 0o600 });
    if (owner !== undefined) chownSync(join(data, name), owner.uid, owner.gid);
  }
  const port = await freePort();
  const settings = { port, listen_addresses: '127.0.0.1', unix_socket_directories: '', ssl: 'on', fsync: 'off' };
  const words = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const server = site.program(join(folder, 'postgres'), ['-D', data, ...words], options);
  await server.says(/database system is ready to accept connections/);
  return port;
}

function idsOf(user: string): { uid: number; gid: number } {
  const id = (what: string): number => Number(execFileSync('id', [what, user], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}
