/**
 * Compares this package with nginx's stream module: CPU of the proxy per round trip of a UDP echo, and round trips per second.
 *
 *     node --conditions=@cirque/source bench/udp.bench.ts [rounds] [slice in ms]
 *
 * Everything runs on loopback, each proxy as one process with one worker; slices of the proxies take turns. Two loads: `echo`,
 * 64 clients that stay, one question of 64 bytes at a time; `dns`, each question from a port of its own, with `responses` 1.
 * The figure that counts is CPU time, from /proc: on a busy machine rates say little. Linux, nginx with libnginx-mod-stream.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { argv, execPath } from 'node:process';
import { fileURLToPath } from 'node:url';
import { Server } from '@cirque/core';
import { defineUdp, udpProxyService } from '../src/index.ts';

const SELF = fileURLToPath(import.meta.url);
const MODULE = '/usr/lib/nginx/modules/ngx_stream_module.so';
const CLIENTS = 64;
const QUESTION = Buffer.alloc(64, 'x');
const LOST_AFTER_MS = 1_000;

/** Answers whatever comes. @returns its port. */
async function echoServer(): Promise<number> {
  const socket = createSocket('udp4');
  socket.on('message', (bytes, { port, address }) => socket.send(bytes, port, address));
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return socket.address().port;
}

/** A port that is free now. */
async function freePort(): Promise<number> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  return port;
}

async function connected(port: number): Promise<Socket> {
  const socket = createSocket('udp4');
  socket.connect(port, '127.0.0.1');
  await once(socket, 'connect');
  return socket;
}

/** Round trips of one client until the end of the slice, from one port or from a new one for each. */
async function client(port: number, end: number, isNew: boolean): Promise<number> {
  let answers = 0;
  let socket = await connected(port);
  while (performance.now() < end) {
    const answered = new Promise<number>((resolve) => {
      const timer = setTimeout(() => resolve(0), LOST_AFTER_MS);
      socket.once('message', () => {
        clearTimeout(timer);
        resolve(1);
      });
    });
    socket.send(QUESTION);
    answers += await answered;
    if (!isNew) continue;
    socket.close();
    socket = await connected(port);
  }
  socket.close();
  return answers;
}

/** CPU time of a process so far, in microseconds. */
function cpuOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10_000;
}

/** A proxy under test. */
interface Subject {
  readonly name: string;
  readonly pid: number;
  readonly ports: readonly [echo: number, dns: number];
  close(): void;
}

async function cirque(upstream: number): Promise<Subject> {
  const child: ChildProcess = spawn(execPath, ['--conditions=@cirque/source', SELF, 'serve', String(upstream)]);
  const [line] = (await once(child.stdout as NodeJS.ReadableStream, 'data')) as [Buffer];
  const [echo = 0, dns = 0] = line.toString().split(' ').map(Number);
  return { name: 'cirque', pid: child.pid as number, ports: [echo, dns], close: () => void child.kill('SIGKILL') };
}

async function nginx(upstream: number): Promise<Subject> {
  const folder = mkdtempSync(join(tmpdir(), 'cirque-udp-bench-'));
  const [echo, dns] = [await freePort(), await freePort()];
  const server = (port: number, more: string): string =>
    `server { listen 127.0.0.1:${port} udp; proxy_pass 127.0.0.1:${upstream}; proxy_timeout 60s; ${more} }`;
  writeFileSync(
    join(folder, 'nginx.conf'),
    `load_module ${MODULE};\ndaemon off;\nmaster_process off;\npid ${folder}/pid;\nerror_log stderr crit;\n` +
      `events { worker_connections 8192; }\nstream { ${server(echo, '')} ${server(dns, 'proxy_responses 1;')} }\n`,
  );
  const child = spawn('nginx', ['-p', folder, '-c', 'nginx.conf'], { stdio: 'inherit' });
  await new Promise((resolve) => setTimeout(resolve, 500));
  const close = (): void => {
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  };
  return { name: 'nginx', pid: child.pid as number, ports: [echo, dns], close };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

async function compare(rounds: number, sliceMs: number): Promise<void> {
  const upstream = await echoServer();
  const subjects = [await cirque(upstream), ...(existsSync(MODULE) ? [await nginx(upstream)] : [])];
  try {
    for (const [load, isNew] of [
      ['echo', false],
      ['dns', true],
    ] as const) {
      const costs = new Map(subjects.map(({ name }) => [name, { cpu: [] as number[], rate: [] as number[] }]));
      for (let round = -1; round < rounds; round += 1) {
        for (const { name, pid, ports } of subjects) {
          const before = cpuOf(pid);
          const end = performance.now() + sliceMs;
          const each = Array.from({ length: CLIENTS }, () => client(ports[isNew ? 1 : 0], end, isNew));
          const answers = (await Promise.all(each)).reduce((sum, count) => sum + count, 0);
          if (round < 0) continue; // to warm up
          costs.get(name)?.cpu.push((cpuOf(pid) - before) / answers);
          costs.get(name)?.rate.push((answers * 1_000) / sliceMs);
        }
      }
      const reference = median(costs.get('nginx')?.cpu ?? []);
      for (const [name, { cpu, rate }] of costs) {
        const us = median(cpu);
        const ratio = Number.isNaN(reference) ? '' : `, ${(us / reference).toFixed(2)} x nginx`;
        console.log(
          `${load} ${name}: ${us.toFixed(1)} us CPU per round trip${ratio}, ${median(rate).toFixed(0)} per second`,
        );
      }
    }
  } finally {
    for (const subject of subjects) subject.close();
  }
}

async function serve(upstream: number): Promise<void> {
  const server = new Server({});
  server.bootstrap();
  const phases = defineUdp({ upstreamPeer: () => ({ host: '127.0.0.1', port: upstream }) });
  const echo = udpProxyService(server.configuration, phases, { name: 'echo' }).addUdp('127.0.0.1:0');
  const dns = udpProxyService(server.configuration, phases, { name: 'dns', responses: 1 }).addUdp('127.0.0.1:0');
  for (const service of [echo, dns]) server.addService(service);
  server.onPhase((phase) => {
    const ports = [echo, dns].flatMap(({ endpoints }) =>
      endpoints.map((address) => ('port' in address ? address.port : 0)),
    );
    if (phase === 'Running') console.log(ports.join(' '));
  });
  await server.runForever();
}

if (argv[2] === 'serve') await serve(Number(argv[3]));
else {
  await compare(Number(argv[2] ?? 7), Number(argv[3] ?? 1_000));
  process.exit(0);
}
