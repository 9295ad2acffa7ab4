/**
 * What the tests of worker threads share: processes that are ended whatever happens, clients, and steady load.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type ClientRequest, type ClientRequestArgs, type IncomingMessage, request } from 'node:http';
import { request as secureRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TLSSocket } from 'node:tls';
import { connect } from 'node:tls';
import { ChildServer } from './child-server.ts';
import { ca } from './tls-site.ts';

/** What the fixture says of the thread that has answered. */
export interface Answer {
  readonly thread: number;
  readonly index: number;
  readonly requests: number;
  readonly isMain: boolean;
  readonly isReady: boolean;
  readonly grace: number;
  /** Of the connection on which it came. */
  readonly connection: string | undefined;
}

/** Where a service listens: `host:port`, or the path of a unix socket. */
export type Place = string;

/** Asks with a connection of its own. Rejects with the error of the connection, or after ten seconds. */
export function ask(place: Place, path = '/'): Promise<Answer> {
  const at: ClientRequestArgs = place.startsWith('/') ? { socketPath: place } : tcp(place);
  return answerTo((onResponse) => request({ ...at, path, agent: false, timeout: 10_000 }, onResponse));
}

/** What is known of a TLS connection beside the answer. */
export interface TlsAnswer extends Answer {
  /** The common name of the server. */
  readonly server: string | undefined;
  readonly reused: boolean;
  readonly session: Buffer | undefined;
}

/** The same with TLS, and with a session of an earlier connection. */
export async function askTls(place: Place, session?: Buffer): Promise<TlsAnswer> {
  const facts: Partial<Pick<TlsAnswer, 'server' | 'reused' | 'session'>> = {};
  const options = { ...tcp(place), agent: false, ca: ca.cert, servername: 'a.example', session, timeout: 10_000 };
  const answer = await answerTo((onResponse) => {
    const asked = secureRequest(options, onResponse);
    asked.once('socket', (plain) => {
      const socket = plain as TLSSocket;
      socket.once('secureConnect', () => {
        const server = /CN=(.*)/.exec(socket.getPeerX509Certificate()?.subject ?? '')?.[1];
        Object.assign(facts, { server, reused: socket.isSessionReused() });
      });
      socket.on('session', (next: Buffer) => Object.assign(facts, { session: next }));
    });
    return asked;
  });
  return { ...answer, server: facts.server, reused: facts.reused ?? false, session: facts.session };
}

function answerTo(send: (onResponse: (response: IncomingMessage) => void) => ClientRequest): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const asked = send((response) => {
    let text = '';
    response.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    response.once('error', reject);
    response.once('end', () => {
      if (response.statusCode === 200) resolve({ ...JSON.parse(text), connection: response.headers.connection });
      else reject(new Error(`status ${response.statusCode}`));
    });
  });
  asked.once('timeout', () => asked.destroy(new Error('no answer for ten seconds')));
  asked.once('error', reject);
  asked.end();
  return promise;
}

function tcp(place: Place): ClientRequestArgs {
  const [host = '', port] = place.split(':');
  return { host, port: Number(port) };
}

/** Asks so many times, `parallel` at once, and counts the answers by thread. */
export async function spread(place: Place, times: number, parallel = 16): Promise<Map<number, number>> {
  const counts = new Map<number, number>();
  let left = times;
  const client = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const { thread } = await ask(place);
      counts.set(thread, (counts.get(thread) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: parallel }, client));
  return counts;
}

/** The name that the certificate there has. */
export function certificateOf(place: Place): Promise<string> {
  const { host, port } = tcp(place);
  return new Promise((resolve, reject) => {
    const socket = connect({ host: String(host), port: Number(port), servername: 'a.example', ca: ca.cert });
    socket.once('error', reject);
    socket.once('secureConnect', () => {
      resolve(String(socket.getPeerCertificate().subject.CN));
      socket.destroy();
    });
  });
}

/** The folder of one test with its processes. */
export class ThreadsSite {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'cirque-threads-'));
  readonly #processes: ThreadedProcess[] = [];

  /** Writes the configuration, and answers the arguments that name it. */
  configure(settings: Readonly<Record<string, unknown>>): string[] {
    const path = join(this.folder, 'conf.yaml');
    const paths = { pid_file: join(this.folder, 'pid'), upgrade_sock: join(this.folder, 'upgrade.sock') };
    const all = Object.entries({ version: 1, ...paths, ...settings });
    writeFileSync(path, all.map(([key, value]) => `${key}: ${JSON.stringify(value)}\n`).join(''));
    return ['-c', path];
  }

  start(
    settings: Readonly<Record<string, unknown>>,
    args: readonly string[] = [],
    ffi?: string,
    fixture?: string,
  ): ThreadedProcess {
    const env: Record<string, string> = ffi === undefined ? {} : { CIRQUE_FFI: ffi };
    const started = new ThreadedProcess([...this.configure(settings), ...args], env, fixture);
    this.#processes.push(started);
    return started;
  }

  /** Makes a certificate for this name, beside `a.example`. @returns the folder that has it. */
  certificate(name: string): string {
    const { cert, key } = ca.issue({ names: [name, 'a.example'] });
    writeFileSync(join(this.folder, 'cert.pem'), cert);
    writeFileSync(join(this.folder, 'key.pem'), key);
    return this.folder;
  }

  spoilCertificate(): void {
    writeFileSync(join(this.folder, 'cert.pem'), 'not a certificate');
  }

  close(): void {
    for (const one of this.#processes) one.kill('SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A process of the fixture. */
export class ThreadedProcess extends ChildServer {
  #asked = 0;

  constructor(args: readonly string[], env: Record<string, string>, fixture = 'threaded-process.ts') {
    super(fixture, args, { env });
  }

  /** Waits until it serves. @returns its addresses in the order of the fixture's options. */
  async running(): Promise<readonly Place[]> {
    const match = await this.prints(/^running (.*)$/m);
    const texts = JSON.parse(match[1] ?? '[]') as string[];
    return texts.map((text) => text.replace(/^(unix|tls):/, ''));
  }

  /** Gives a command, and waits for its answer. */
  async obey<T>(command: string): Promise<T> {
    this.#asked += 1;
    const id = `${command}#${this.#asked}`;
    this.tell(`${id}\n`);
    const match = await this.prints(new RegExp(`^${id} (.*)$`, 'm'));
    return JSON.parse(match[1] ?? 'null') as T;
  }

  /** Log lines with this message. */
  logged(message: string): Record<string, unknown>[] {
    const lines = this.err.split('\n').filter((line) => line.startsWith('{') && line.endsWith('}'));
    return lines
      .map((line) => JSON.parse(line) as Record<string, unknown>)
      .filter(({ msg }) => String(msg).includes(message));
  }
}

/**
 * Clients that come one after the other, some at the same time, until they are told to stop. Each makes its thread compute
 * for some milliseconds, so that there are always connections which have not been accepted.
 */
export class Churn {
  readonly failures: string[] = [];
  /** Answers by thread. */
  readonly served: Map<number, number> = new Map();
  readonly #stop = new AbortController();
  readonly #clients: Promise<void>[];

  constructor(places: readonly Place[], clientsEach = 4) {
    this.#clients = places.flatMap((place) => Array.from({ length: clientsEach }, () => this.#come(place)));
  }

  get total(): number {
    return [...this.served.values()].reduce((sum, count) => sum + count, 0);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#clients);
  }

  async #come(place: Place): Promise<void> {
    while (!this.#stop.signal.aborted) {
      try {
        const { thread } = await ask(place, '/busy');
        this.served.set(thread, (this.served.get(thread) ?? 0) + 1);
      } catch (error) {
        this.failures.push(`${place}: ${(error as NodeJS.ErrnoException).code ?? (error as Error).message}`);
      }
    }
  }
}

/** Waits until `condition` is true. Rejects after `ms`, with the name of what was waited for. */
export async function until(name: string, condition: () => unknown, ms = 20_000): Promise<void> {
  const end = performance.now() + ms;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`waited ${ms} ms for ${name}`);
    await sleep(100);
  }
}
