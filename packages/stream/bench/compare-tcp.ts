/**
 * Compares this package with nginx's stream module and haproxy: CPU of the proxy per megabyte and per short connection.
 *
 *     node --conditions=@cirque/source bench/compare-tcp.ts [rounds] [nginx,haproxy,cirque]
 *
 * Everything runs on loopback, each proxy as one process with one worker; slices of the proxies take turns. The figure that
 * counts is CPU time, from /proc: on a busy machine rates say little. Linux only.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { argv, execPath } from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const SELF = fileURLToPath(import.meta.url);
const CHUNK = Buffer.alloc(65_536, 'x');
const SLICE_MS = 1_500;

/** One kind of load: resolves with how much was done. */
type Load = (port: number, ms: number) => Promise<number>;

/** Echoed bulk, in megabytes of one direction; both are passed. */
const bulk: Load = async (port, ms) => {
  const until = performance.now() + ms;
  const one = (): Promise<number> =>
    new Promise((resolve, reject) => {
      let received = 0;
      const socket = connect({ port, host: '127.0.0.1' }, function pump() {
        while (performance.now() < until) if (!socket.write(CHUNK)) return void socket.once('drain', pump);
        socket.end();
      });
      socket.on('data', (chunk) => {
        received += chunk.length;
      });
      socket.on('end', () => resolve(received / 1e6)).on('error', reject);
    });
  return (await Promise.all(Array.from({ length: 4 }, one))).reduce((sum, mb) => sum + mb, 0);
};

/** Connections with 32 bytes each way. */
const short: Load = async (port, ms) => {
  const until = performance.now() + ms;
  let count = 0;
  const one = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1' });
      socket.write(CHUNK.subarray(0, 32));
      socket.on('data', () => socket.destroy());
      socket.on('close', () => resolve()).on('error', reject);
    });
  const client = async (): Promise<void> => {
    for (; performance.now() < until; count += 1) await one();
  };
  await Promise.all(Array.from({ length: 32 }, client));
  return count;
};

const LOADS = { 'bulk, MB': bulk, 'short connections': short };

/** Nanoseconds that a process and its children have run. */
function cpuOf(pid: number): number {
  const task = (id: string): number => Number(readFileSync(`/proc/${pid}/task/${id}/schedstat`, 'utf8').split(' ')[0]);
  const own = readdirSync(`/proc/${pid}/task`).reduce((sum, id) => sum + task(id), 0);
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean);
  return children.reduce((sum, child) => sum + cpuOf(Number(child)), own);
}

/** Starts a role of this file; answers its port, which it prints. */
async function role(name: string, ...args: string[]): Promise<{ child: ChildProcess; port: number }> {
  const child = spawn(execPath, ['--conditions=@cirque/source', SELF, name, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const line = await new Promise<string>((resolve) => child.stdout?.once('data', (text) => resolve(String(text))));
  return { child, port: Number(line) };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

type Start = (folder: string, origin: number) => Promise<{ child: ChildProcess; port: number }>;

const PROXIES: Readonly<Record<string, Start>> = {
  async nginx(folder, origin) {
    const port = await freePort();
    const conf = join(folder, 'nginx.conf');
    writeFileSync(
      conf,
      `load_module /usr/lib/nginx/modules/ngx_stream_module.so;
       daemon off; worker_processes 1; pid ${folder}/nginx.pid; error_log stderr error;
       events { worker_connections 4096; }
       stream { server { listen 127.0.0.1:${port} backlog=4096; proxy_pass 127.0.0.1:${origin}; } }`,
    );
    return { child: spawn('nginx', ['-c', conf, '-p', folder], { stdio: 'inherit' }), port };
  },
  async haproxy(folder, origin) {
    const port = await freePort();
    const conf = join(folder, 'haproxy.cfg');
    writeFileSync(
      conf,
      `global\n maxconn 4000\n nbthread 1\ndefaults\n mode tcp\n timeout connect 5s\n timeout client 60s\n timeout server 60s
frontend f\n bind 127.0.0.1:${port}\n default_backend b\nbackend b\n server s 127.0.0.1:${origin}\n`,
    );
    return { child: spawn('haproxy', ['-f', conf, '-db'], { stdio: 'inherit' }), port };
  },
  cirque: (_folder, origin) => role('proxy', String(origin)),
};

async function compare(rounds: number, names: readonly string[]): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'cirque-bench-'));
  const origin = await role('origin');
  const children: ChildProcess[] = [origin.child];
  try {
    const proxies: { name: string; port: number; pid: number }[] = [];
    for (const name of names) {
      const { child, port } = await (PROXIES[name] as Start)(folder, origin.port);
      children.push(child);
      proxies.push({ name, port, pid: child.pid as number });
    }
    await sleep(1_000);
    for (const [what, load] of Object.entries(LOADS)) {
      const costs = new Map<string, number[]>();
      for (const { port } of proxies) await load(port, 1_000);
      for (let round = 0; round < rounds; round += 1) {
        for (const { name, port, pid } of round % 2 === 0 ? proxies : [...proxies].reverse()) {
          const before = cpuOf(pid);
          const done = await load(port, SLICE_MS);
          costs.set(name, [...(costs.get(name) ?? []), (cpuOf(pid) - before) / 1_000 / done]);
        }
      }
      report(what, costs);
    }
  } finally {
    for (const child of children) child.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The median of the cheaper half: what disturbs a slice makes it dearer. */
function estimate(costs: readonly number[]): number {
  const cheaper = [...costs].sort((a, b) => a - b).slice(0, Math.ceil(costs.length / 2));
  return cheaper[Math.floor(cheaper.length / 2)] as number;
}

function report(what: string, costs: ReadonlyMap<string, readonly number[]>): void {
  const first = estimate(costs.values().next().value ?? []);
  for (const [name, all] of costs) {
    const cost = estimate(all);
    console.log(`${what}: ${name} ${cost.toFixed(1)} us CPU each, ${(cost / first).toFixed(2)}`);
  }
}

function runOrigin(): void {
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    socket.on('error', () => {}).pipe(socket);
  });
  server.listen(0, '127.0.0.1', 4_096, () => console.log((server.address() as AddressInfo).port));
}

async function runProxy(origin: number): Promise<void> {
  const { Server } = await import('@cirque/core');
  const { defineStream, StreamPeer, streamProxyService } = await import('../src/index.ts');
  const peer = new StreamPeer({ host: '127.0.0.1', port: origin });
  const server = new Server();
  server.bootstrap();
  const service = streamProxyService(server.configuration, defineStream({ upstreamPeer: () => peer }));
  service.addTcp('127.0.0.1:0');
  server.addService(service);
  server.onPhase((phase) => {
    const [endpoint] = service.endpoints;
    if (phase === 'Running' && endpoint !== undefined && 'port' in endpoint) console.log(endpoint.port);
  });
  await server.runForever();
}

const [, , mode, ...rest] = argv;
if (mode === 'origin') runOrigin();
else if (mode === 'proxy') await runProxy(Number(rest[0]));
else await compare(Number(mode ?? 8), (rest[0] ?? 'nginx,haproxy,cirque').split(','));
