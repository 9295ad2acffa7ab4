import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type InetAddress, isUnixAddress, parseAddress } from '@cirque/transport';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { DEADLINE_MS, Peer, until } from './udp-site.ts';

const LIMIT = { timeout: 6 * DEADLINE_MS };
const FLOWS = 50;

let folder: string;
let upstream: Peer;
const children: Child[] = [];
const clients: Peer[] = [];
/** Processes that others have started. */
const successors: number[] = [];
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'cirque-udp-'));
  upstream = (await Peer.bind()).answering((bytes, from) => `${bytes} ${from.port}`);
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  for (const pid of successors.splice(0)) kill(pid);
  for (const client of clients.splice(0)) client.close();
  upstream.close();
  rmSync(folder, { recursive: true, force: true });
});

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // it has ended
  }
}

/** What the processes have said. */
function logs(): string {
  return children.map(({ pid, out, err }) => `${pid}\n${out}${err}`).join('\n');
}

/** A process of the fixture. */
class Child {
  out = '';
  err = '';
  readonly #process: ChildProcess;
  readonly ended: Promise<number | null>;

  constructor(args: readonly string[], ffi = '') {
    const program = fileURLToPath(new URL('fixtures/udp-process.ts', import.meta.url));
    const cache = join(tmpdir(), 'cirque-test-compile-cache');
    const own = { NODE_OPTIONS: '', NODE_COMPILE_CACHE: cache, CIRQUE_LOG: '', LOG_LEVEL: '', CIRQUE_FFI: ffi };
    this.#process = spawn(process.execPath, ['--conditions=@cirque/source', program, ...args], {
      env: { ...process.env, ...own },
    });
    this.#process.stdout?.on('data', (chunk: Buffer) => {
      this.out += chunk.toString();
    });
    this.#process.stderr?.on('data', (chunk: Buffer) => {
      this.err += chunk.toString();
    });
    this.ended = new Promise((resolve) => this.#process.once('exit', (code) => resolve(code)));
    children.push(this);
  }

  get pid(): string {
    return String(this.#process.pid);
  }

  kill(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  tell(line: string): void {
    this.#process.stdin?.write(`${line}\n`);
  }

  /** Where it receives: for sessions that stay, and for those that are over with the answer. */
  async running(): Promise<readonly [long: InetAddress, dns: InetAddress]> {
    const line = /^running (\S+) (\S+)$/m;
    await until(
      'a running process',
      () => {
        if (this.#process.exitCode !== null) throw new Error(`it has ended:\n${this.out}\n${this.err}`);
        return line.test(this.out);
      },
      logs,
    );
    const [, long = '', dns = ''] = line.exec(this.out) ?? [];
    return [address(long), address(dns)];
  }
}

function address(text: string): InetAddress {
  const parsed = parseAddress(text);
  if (isUnixAddress(parsed)) throw new Error(`${text} is no UDP address`);
  return parsed;
}

/** A free port that no client is given: they have those from 32,768 on, and would take what is free between two moments. */
async function freePort(): Promise<number> {
  for (;;) {
    const port = 10_000 + Math.floor(Math.random() * 20_000);
    const peer = await Peer.bind('127.0.0.1', port).catch(() => undefined);
    if (peer === undefined) continue;
    peer.close();
    return port;
  }
}

async function configured(threads: number): Promise<string[]> {
  const path = join(folder, 'conf.yaml');
  const lines = [
    'version: 1',
    `threads: ${threads}`,
    `pid_file: ${join(folder, 'pid')}`,
    `upgrade_sock: ${join(folder, 'upgrade.sock')}`,
    'grace_period_seconds: 60',
  ];
  writeFileSync(path, `${lines.join('\n')}\n`);
  const addresses = ['--long', `127.0.0.1:${await freePort()}`, '--dns', `127.0.0.1:${await freePort()}`];
  return ['-c', path, '--upstream', `127.0.0.1:${upstream.address.port}`, ...addresses];
}

/** One client that stays: it asks again and again, and every answer must come the same way. */
class LongFlow {
  readonly ways: Set<string> = new Set();
  answers = 0;
  /** Between two answers. */
  longestMs = 0;
  #lastAt = performance.now();
  readonly #peer: Peer;
  readonly #to: InetAddress;
  readonly #name: string;
  #isStopping = false;
  #done: Promise<void> = Promise.resolve();

  private constructor(peer: Peer, to: InetAddress, name: string) {
    this.#peer = peer;
    this.#to = to;
    this.#name = name;
  }

  /** Has asked twice when it resolves, so that the service knows that it stays. */
  static async begin(to: InetAddress, name: string): Promise<LongFlow> {
    const peer = await Peer.bind();
    clients.push(peer);
    const flow = new LongFlow(peer, to, name);
    await flow.#ask();
    await flow.#ask();
    flow.#done = flow.#goOn();
    flow.#done.catch(() => {}); // stop() tells
    return flow;
  }

  /** The process and thread that served it. */
  get servedBy(): string {
    return [...this.ways].map((way) => way.split(' ')[0]).join();
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#done;
  }

  async #goOn(): Promise<void> {
    while (!this.#isStopping) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      await this.#ask();
    }
  }

  async #ask(): Promise<void> {
    const question = `${this.#name}:${this.answers}`;
    const [by, text, port] = (await this.#peer.ask(question, this.#to)).split(' ');
    if (text !== question) throw new Error(`asked ${question}, was answered ${text}`);
    this.ways.add(`${by} ${port}`);
    const now = performance.now();
    this.longestMs = Math.max(this.longestMs, Math.round(now - this.#lastAt));
    this.#lastAt = now;
    this.answers += 1;
  }
}

/** Clients that ask once, each from a port of its own, one after the other. */
class ShortFlows {
  answers = 0;
  readonly servers: Set<string> = new Set();
  readonly #to: InetAddress;
  #isStopping = false;
  readonly #done: Promise<unknown>;

  constructor(to: InetAddress, parallel = 4) {
    this.#to = to;
    this.#done = Promise.all(Array.from({ length: parallel }, (_, index) => this.#goOn(index)));
    this.#done.catch(() => {}); // stop() tells
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#done;
  }

  async #goOn(index: number): Promise<void> {
    for (let round = 0; !this.#isStopping; round += 1) {
      const peer = await Peer.bind();
      try {
        const question = `${index}:${round}`;
        const [by = '', text] = (await peer.ask(question, this.#to)).split(' ');
        if (text !== question) throw new Error(`asked ${question}, was answered ${text}`);
        this.servers.add(by);
        this.answers += 1;
      } finally {
        peer.close();
      }
    }
  }
}

/** The processes and threads that serve so many new clients. */
async function serversOfNew(to: InetAddress, count = 24): Promise<Set<string>> {
  const servers = new Set<string>();
  for (let index = 0; index < count; index += 1) {
    const peer = await Peer.bind();
    servers.add((await peer.ask('new', to)).split(' ')[0] ?? '');
    peer.close();
  }
  return servers;
}

function beginAll(to: InetAddress): Promise<LongFlow[]> {
  return Promise.all(Array.from({ length: FLOWS }, (_, index) => LongFlow.begin(to, `flow${index}`)));
}

/** Every flow has had this many further answers. */
async function further(flows: readonly LongFlow[], count: number): Promise<void> {
  const before = flows.map(({ answers }) => answers);
  await until('further answers', () => flows.every(({ answers }, index) => answers >= (before[index] ?? 0) + count));
}

describe('UDP sessions', LIMIT, () => {
  test('stay with their thread when threads are replaced; new ones go to the new threads, and nothing is lost', async () => {
    const child = new Child(await configured(2));
    const [long, dns] = await child.running();
    const flows = await beginAll(long);
    const before = new Set(flows.map(({ servedBy }) => servedBy));
    expect(before.size).toBe(2);
    const short = new ShortFlows(dns);
    child.tell('restart');
    // Sessions that stay keep the first thread, and so the replacement of the second one, from its end.
    await until(
      'a new thread',
      async () => [...(await serversOfNew(long))].some((server) => !before.has(server)),
      logs,
    );
    await further(flows, 20);
    await Promise.all(flows.map((flow) => flow.stop()));
    expect(flows.filter(({ ways }) => ways.size > 1).map(({ ways, longestMs }) => [...ways, longestMs])).toEqual([]);
    await until('the end of the replacement', () => child.out.includes('restarted\n'), logs, 2 * DEADLINE_MS);
    expect([...(await serversOfNew(long))].filter((server) => before.has(server))).toEqual([]);
    await short.stop();
    expect(short.answers).toBeGreaterThan(10);
  });

  test.each([
    [1, ''],
    [2, ''],
    [1, 'off'],
  ])(
    'stay with their process in an upgrade with %d threads %s; new ones go to the new process, and nothing is lost',
    async (threads, ffi) => {
      const args = await configured(threads);
      const old = new Child(args, ffi);
      const [long, dns] = await old.running();
      const flows = await beginAll(long);
      const short = new ShortFlows(dns);
      expect(new Set(flows.map(({ servedBy }) => servedBy.split('/')[0]))).toEqual(new Set([old.pid]));
      old.kill('SIGQUIT');
      const next = new Child([...args, '-u'], ffi);
      const isOld = (server: string): boolean => server.startsWith(`${old.pid}/`);
      await until(
        'only the new process',
        async () => {
          const servers = [...(await serversOfNew(long))];
          successors.push(...servers.filter((server) => !isOld(server)).map((server) => Number(server.split('/')[0])));
          return !servers.some(isOld);
        },
        logs,
      );
      await further(flows, 20);
      await Promise.all(flows.map((flow) => flow.stop()));
      expect(flows.filter(({ ways }) => ways.size > 1).map(({ ways, longestMs }) => [...ways, longestMs])).toEqual([]);
      expect(new Set(flows.map(({ servedBy }) => servedBy.split('/')[0]))).toEqual(new Set([old.pid]));
      await short.stop();
      expect([...short.servers].some(isOld)).toBe(true);
      expect([...short.servers].some((server) => !isOld(server))).toBe(true);
      expect(await old.ended).toBe(0); // their idle time is over
      expect([...(await serversOfNew(long, 4))].some(isOld)).toBe(false);
      next.kill('SIGTERM');
    },
  );
});
