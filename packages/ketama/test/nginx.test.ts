/**
 * The ring against the real thing: a running nginx says which server it chooses for each key.
 *
 * Everything stays on this machine: servers are loopback addresses, nginx answers for them itself or, where only the
 * choice matters, fails to connect at once and reports whom it had chosen.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, type IncomingMessage, request } from 'node:http';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SeededRandom } from '@cirque/testing';
import { requireTool } from '@cirque-internal/config/system-tools';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type KetamaBucket, KetamaRing } from '../src/index.ts';

const nginx = process.platform === 'linux' ? requireTool('nginx') : { reason: 'needs all of 127.0.0.0/8, as on Linux' };
const START_TIMEOUT_MS = 20_000;

const folder = nginx.path === undefined ? '' : mkdtempSync(join(tmpdir(), 'cirque-nginx-'));
const front = join(folder, 'front.sock');
const agent = new Agent({ keepAlive: true, maxSockets: 4 });
let child: ChildProcess;

const ODD_FORMS: readonly KetamaBucket[] = [
  { address: '127.0.0.1', weight: 1 },
  { address: 'localhost:7', weight: 2 },
  { address: '127.0.0.3:0009', weight: 1 },
  { address: `unix:${folder}/absent.sock`, weight: 3 },
  { address: `UNIX:${folder}/Absent:80`, weight: 1 },
];
const IPV6: readonly KetamaBucket[] = [1, 7, 9].map((port) => ({ address: `[::1]:${port}`, weight: 1 }));

function nineServers(port: number): KetamaBucket[] {
  return Array.from({ length: 9 }, (_, i) => ({ address: `127.0.0.${i + 1}:${port}`, weight: 100 }));
}

function upstream(name: string, key: string, buckets: readonly KetamaBucket[]): string {
  const servers = buckets.map(({ address, weight }) => `server ${address} weight=${weight} max_fails=0;`);
  return `upstream ${name} { hash ${key} consistent; ${servers.join(' ')} keepalive 8; }`;
}

function configuration(port: number): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${name};`);
  return `
daemon off; master_process off; pid nginx.pid; error_log error.log crit;
events {}
http {
  access_log off; ${temporary.join(' ')}
  ${upstream('nine', '$request_uri', nineServers(port))}
  ${upstream('odd', '$arg_key', ODD_FORMS)}
  ${upstream('ipv6', '$arg_key', IPV6)}
  proxy_next_upstream off; proxy_http_version 1.1; proxy_set_header Connection "";
  server {
    listen unix:${front};
    add_header Chosen $upstream_addr always;
    location / { proxy_pass http://nine; }
    location = /odd { proxy_pass http://odd; }
    location = /ipv6 { proxy_pass http://ipv6; }
  }
  server { listen 0.0.0.0:${port}; return 200 "$server_addr:$server_port"; }
}`;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '0.0.0.0');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

function accepts(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    socket.once('connect', () => resolve(true));
    socket.once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

async function startNginx(): Promise<number> {
  const port = await freePort();
  writeFileSync(join(folder, 'nginx.conf'), configuration(port));
  child = spawn(nginx.path as string, ['-p', folder, '-c', 'nginx.conf', '-e', 'error.log'], { stdio: 'ignore' });
  const end = performance.now() + START_TIMEOUT_MS;
  while (!(await accepts(front))) {
    if (child.exitCode !== null || performance.now() > end) {
      throw new Error(`nginx did not start: ${readFileSync(join(folder, 'error.log'), 'utf8')}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return port;
}

async function ask(path: string): Promise<{ chosen: string; body: string }> {
  const outgoing = request({ socketPath: front, path, agent }).end();
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
  let body = '';
  for await (const chunk of response.setEncoding('latin1')) body += chunk;
  return { chosen: String(response.headers.chosen), body };
}

/** Paths and queries of all lengths; no `..` and no `%00`, which nginx refuses before it chooses. */
function randomUris(count: number): string[] {
  const random = new SeededRandom(20);
  const parts = [
    ...'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_~!$&()*+,;=:@/?',
    'a.b',
    '%20',
    '%C3%A9',
  ];
  return Array.from({ length: count }, () => {
    const length = random.int(0, random.pick([4, 20, 60, 300]));
    return `/${Array.from({ length }, () => random.pick(parts)).join('')}`;
  });
}

/** Which address nginx reports for each bucket, learnt from its answers; a second address for one bucket is an error. */
async function compareChoices(path: string, buckets: readonly KetamaBucket[], ring: KetamaRing): Promise<string[]> {
  const names = new Map<number, string>();
  const differences: string[] = [];
  for (let i = 0; i < 300; i += 1) {
    const key = `key-${i}`;
    const ours = ring.lookup(key);
    const { chosen } = await ask(`${path}?key=${key}`);
    if (!names.has(ours)) names.set(ours, chosen);
    if (names.get(ours) !== chosen) differences.push(`${key}: ${buckets[ours]?.address}, nginx ${chosen}`);
  }
  expect(new Set(names.values()).size).toBe(buckets.length);
  return differences;
}

describe.skipIf(nginx.path === undefined)(`KetamaRing and nginx (${nginx.reason ?? 'present'})`, () => {
  let port: number;

  beforeAll(async () => {
    port = await startNginx();
  }, START_TIMEOUT_MS + 5_000);

  afterAll(async () => {
    agent.destroy();
    if (child.exitCode === null) {
      child.kill('SIGTERM');
      await once(child, 'exit');
    }
    rmSync(folder, { recursive: true });
  });

  test('choose the same of nine servers of weight 100 for a thousand request URIs', { timeout: 60_000 }, async () => {
    const buckets = nineServers(port);
    const ring = KetamaRing.build(buckets);
    const uris = randomUris(1_000);
    const ours = uris.map((uri) => buckets[ring.lookup(uri)]?.address);
    const theirs: string[] = [];
    for (const uri of uris) {
      const { chosen, body } = await ask(uri);
      expect(body).toBe(chosen);
      theirs.push(chosen);
    }
    expect(new Set(theirs).size).toBe(9);
    expect(ours).toEqual(theirs);
  });

  test('agree on names without port, unusual ports, weights and unix sockets', { timeout: 60_000 }, async () => {
    expect(await compareChoices('/odd', ODD_FORMS, KetamaRing.build(ODD_FORMS))).toEqual([]);
  });

  test('agree on IPv6 addresses when the brackets are hashed', { timeout: 60_000 }, async () => {
    const differences = await compareChoices('/ipv6', IPV6, KetamaRing.build(IPV6, { ipv6Brackets: true }));
    expect(differences).toEqual([]);
  });
});
