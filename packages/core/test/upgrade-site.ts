/**
 * What the tests of the upgrade share: processes that are ended whatever happens, clients, and steady load.
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Address, isUnixAddress, parseAddress } from '@cirque/transport';
import { type ChildOptions, ChildServer } from './child-server.ts';

/** The folder of one test with its processes. */
export class UpgradeSite {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'cirque-upgrade-'));
  /** The upgrade socket. */
  readonly path: string = join(this.folder, 'upgrade.sock');
  readonly #fate: string = join(this.folder, 'fate');
  readonly #processes: UpgradeProcess[] = [];

  constructor() {
    chmodSync(this.folder, 0o777); // some tests run a process as another user
  }

  /** Starts a process, as another user where `uid` is given; see fixtures/upgrade-process.ts for its arguments. */
  start(args: readonly string[], env: Record<string, string> = {}, uid?: number): UpgradeProcess {
    const all = ['--path', this.path, '--fate', this.#fate, ...args];
    const started = new UpgradeProcess(all, uid === undefined ? { env } : { env, uid });
    this.#processes.push(started);
    return started;
  }

  /** What successors do from now on, instead of becoming ready. */
  fate(fate: 'die' | 'throw' | 'silent' | 'wait' | ''): void {
    writeFileSync(this.#fate, fate);
  }

  close(): void {
    for (const { pids } of this.#processes) for (const pid of pids) kill(pid);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A process of the fixture. Each of its lines begins with a process id: successors may write to the same stream. */
export class UpgradeProcess extends ChildServer {
  constructor(args: readonly string[], options: ChildOptions) {
    super('upgrade-process.ts', args, options);
  }

  /** The processes that have written anything. */
  get pids(): readonly number[] {
    return [...new Set([...this.out.matchAll(/^(\d+) /gm)].map((match) => Number(match[1])))];
  }

  /** Waits until it is there. @returns its process id and the addresses it serves, by kind. */
  async running(): Promise<{ readonly pid: number; readonly addresses: readonly string[] }> {
    const match = await this.prints(/^(\d+) serves (.*)\n(?:.*\n)*?\1 running$/m);
    return {
      pid: Number(match[1]),
      addresses: (match[2] ?? '').split(' ').map((text) => text.slice(text.indexOf('=') + 1)),
    };
  }

  /** Waits until it is gone, whatever the reason. */
  async ended(): Promise<void> {
    await this.exitCode().catch(() => {});
  }

  /** The sentence of the n-th upgrade that has failed. */
  async failure(count = 1): Promise<string> {
    const match = await this.prints(new RegExp(`(?:upgrade failed: .*\\n[^]*?){${count - 1}}upgrade failed: (.*)\\n`));
    return match[1] ?? '';
  }

  /** How many descriptors it has open. */
  async descriptors(): Promise<number> {
    const before = [...this.out.matchAll(/ fds \d+/g)].length;
    this.tell('fds\n');
    const match = await this.prints(new RegExp(`(?: fds \\d+\\n[^]*?){${before}} fds (\\d+)\\n`));
    return Number(match[1]);
  }
}

/** Asks the server at an address for its process id. */
export function whoServes(text: string, udp = false): Promise<number> {
  return udp ? askUdp(text) : askStream(parseAddress(text));
}

async function askUdp(text: string): Promise<number> {
  const { host, port } = parseAddress(text) as { host: string; port: number };
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  try {
    const answer = once(socket, 'message', { signal: AbortSignal.timeout(5_000) });
    socket.send('?', port, host);
    return Number(String(((await answer) as [Buffer])[0]));
  } finally {
    socket.close();
  }
}

function askStream(address: Address): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = isUnixAddress(address) ? connect(address.path) : connect(address.port, address.host);
    let text = '';
    socket.setTimeout(10_000, () => socket.destroy(new Error('no answer')));
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    socket.once('error', reject);
    socket.once('end', () => (text === '' ? reject(new Error('no answer')) : resolve(Number(text))));
  });
}

/** Clients that come one after the other, at every address at the same time. */
export class SteadyLoad {
  readonly failures: string[] = [];
  readonly served: Map<number, number> = new Map();
  readonly #stop = new AbortController();
  readonly #clients: Promise<void>[];

  constructor(addresses: readonly string[]) {
    this.#clients = addresses.map((address) => this.#run(address));
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#clients);
  }

  /** How many processes have served anybody. */
  get servers(): number {
    return this.served.size;
  }

  async #run(address: string): Promise<void> {
    while (!this.#stop.signal.aborted) {
      try {
        const pid = await whoServes(address);
        this.served.set(pid, (this.served.get(pid) ?? 0) + 1);
      } catch (error) {
        this.failures.push(`${address}: ${(error as Error).message}`);
      }
      await sleep(2);
    }
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
