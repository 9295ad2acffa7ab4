/**
 * What the tests of UDP share: upstreams, clients that wait with a deadline, and a service in an embedded server.
 */
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { type Logger, Server, type ServerConfiguration } from '@cirque/core';
import type { InetAddress } from '@cirque/transport';
import type { UdpPhases } from '../src/udp-proxy.ts';
import { type UdpProxyService, type UdpProxyServiceOptions, udpProxyService } from '../src/udp-service.ts';

/** Long enough for a busy machine. */
export const DEADLINE_MS = 20_000;

/** Waits until `condition` is true. Rejects after the deadline, with the name of what was waited for, and with `facts`. */
export async function until(
  name: string,
  condition: () => unknown,
  facts: () => string = () => '',
  ms: number = DEADLINE_MS,
): Promise<void> {
  const end = performance.now() + ms;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`waited ${ms} ms for ${name}\n${facts()}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** A UDP socket that keeps what it receives. */
export class Peer {
  readonly received: { readonly bytes: Buffer; readonly from: RemoteInfo }[] = [];
  readonly address: InetAddress;
  readonly #socket: Socket;
  #taken = 0;
  #news = Promise.withResolvers<void>();
  #open = true;

  private constructor(socket: Socket) {
    this.#socket = socket;
    const { address: host, port } = socket.address();
    this.address = { host, port };
    socket.on('message', (bytes, from) => {
      this.received.push({ bytes, from });
      this.#news.resolve();
      this.#news = Promise.withResolvers<void>();
    });
  }

  static async bind(host = '127.0.0.1', port = 0): Promise<Peer> {
    const family = host.includes(':') ? 6 : 4;
    // Nothing is looked up: what is sent is sent at once.
    const lookup = (name: string, _options: unknown, done: (error: null, address: string, family: number) => void) =>
      done(null, name, family);
    const socket = createSocket({ type: `udp${family}`, recvBufferSize: 4_000_000, lookup });
    const listening = once(socket, 'listening');
    socket.bind(port, host);
    await listening.catch((error: unknown) => {
      socket.close();
      throw error;
    });
    return new Peer(socket);
  }

  /** Answers each datagram with what `answer` makes of it; nothing where that is undefined. */
  answering(answer: (bytes: Buffer, from: RemoteInfo) => Buffer | string | undefined): this {
    this.#socket.on('message', (bytes, from) => {
      const text = answer(bytes, from);
      if (text !== undefined) this.#socket.send(text, from.port, from.address);
    });
    return this;
  }

  send(bytes: Buffer | string, to: InetAddress): void {
    this.#socket.send(bytes, to.port, to.host);
  }

  /** The next datagram that nobody has taken yet. */
  async next(): Promise<Buffer> {
    const timer = setTimeout(() => this.#news.reject(new Error('no datagram came')), DEADLINE_MS);
    try {
      while (this.received.length <= this.#taken) await this.#news.promise;
    } finally {
      clearTimeout(timer);
    }
    const { bytes } = this.received[this.#taken] as { bytes: Buffer };
    this.#taken += 1;
    return bytes;
  }

  /** Sends, and waits for the next datagram. */
  async ask(bytes: Buffer | string, to: InetAddress): Promise<string> {
    this.send(bytes, to);
    return (await this.next()).toString();
  }

  get texts(): readonly string[] {
    return this.received.map(({ bytes }) => bytes.toString());
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#socket.close();
  }
}

/** One line that the server logged. */
export interface LogLine {
  readonly level: string;
  readonly facts: Record<string, unknown>;
  readonly message: string;
}

function recordingLogger(lines: LogLine[]): Logger {
  const method =
    (level: string) =>
    (facts: object | string, message?: string): void => {
      const isText = typeof facts === 'string';
      lines.push({ level, facts: isText ? {} : { ...facts }, message: isText ? facts : (message ?? '') });
    };
  const methods = { debug: method('debug'), info: method('info'), warn: method('warn'), error: method('error') };
  return { ...methods, child: () => recordingLogger(lines) };
}

/** A UDP proxy that runs until it is stopped. */
export class RunningUdp<Ctx> {
  readonly service: UdpProxyService<Ctx>;
  readonly lines: LogLine[] = [];
  readonly #graceful = new AbortController();
  readonly #fast = new AbortController();
  readonly finished: Promise<void>;
  readonly #ready = Promise.withResolvers<void>();

  private constructor(service: UdpProxyService<Ctx>, configuration: Partial<ServerConfiguration>) {
    this.service = service;
    const server = new Server({ logger: recordingLogger(this.lines) }, configuration);
    server.onPhase((phase) => {
      if (phase === 'Running') this.#ready.resolve();
    });
    server.addService(service);
    this.finished = server.run({ signal: this.#graceful.signal, fast: this.#fast.signal });
  }

  static async start<Ctx>(
    phases: UdpPhases<Ctx>,
    options: UdpProxyServiceOptions = {},
    addresses: readonly string[] = ['127.0.0.1:0'],
    configuration: Partial<ServerConfiguration> = {},
  ): Promise<RunningUdp<Ctx>> {
    const none = { clientBindToIpv4: [], clientBindToIpv6: [] };
    const service = udpProxyService(none, phases, options);
    for (const address of addresses) service.addUdp(address);
    const running = new RunningUdp(service, configuration);
    await Promise.race([running.#ready.promise, running.finished]);
    return running;
  }

  get address(): InetAddress {
    const [first] = this.service.endpoints;
    if (first === undefined || !('host' in first)) throw new Error('the service has no address');
    return first;
  }

  /** A counter, by its path. */
  count(path: string): number {
    let value: unknown = this.service.stats();
    for (const name of path.split('.')) value = (value as Record<string, unknown>)[name];
    if (typeof value !== 'number') throw new Error(`there is no counter ${path}`);
    return value;
  }

  stopGracefully(): Promise<void> {
    this.#graceful.abort();
    return this.finished;
  }

  stopFast(): Promise<void> {
    this.#fast.abort();
    return this.finished;
  }
}
